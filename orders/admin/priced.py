"""How an order was priced, for the order's page."""

from django.conf import settings
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.admin.widgets import EMPTY
from accounts.templatetags.money import money
from catalog.pricing.explanations import pricing_in_words
from orders.models import Order


@display(description=gettext_lazy("price calculation"))
def priced(order: Order) -> str | SafeString:
    """Show each step from upstream's rate to ours, and what a promise of an earlier price added or took."""
    currency = settings.STORE_CURRENCY
    steps = pricing_in_words(order.pricing, store=currency, upstream=settings.UPSTREAM_CURRENCY)
    if not steps:
        return EMPTY
    if order.rate_micros != order.pricing["rate_micros"]:
        steps.append(_("The customer was promised %(rate)s.") % {"rate": money(order.rate_micros)})
    if order.accepted_loss_micros:
        loss = money(order.accepted_loss_micros)
        steps.append(_("The shop accepted a loss of %(loss)s to keep that promise.") % {"loss": loss})
    if "coupon" in order.pricing:
        words = {"coupon": order.pricing["coupon"], "amount": money(order.pricing["coupon_micros"])}
        steps.append(_("Coupon %(coupon)s took off %(amount)s.") % words)
    return format_html("<ol>{}</ol>", format_html_join("", "<li>{}</li>", ((step,) for step in steps)))
