"""What stands beside an order on its page: its customer, its service and how that does, and orders like it."""

from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.admin.blocks import Block
from accounts.admin.widgets import may_see
from accounts.moments import write_moment
from accounts.templatetags.money import money
from catalog.browse.quality import shown_quality
from catalog.models import Service
from orders.models import Order
from wallet.models import Wallet

SIMILAR, LOOKED_THROUGH = 6, 300


def blocks_of(order: Order, request: HttpRequest) -> list[Block]:
    """Return the blocks that this member of staff may see: each says what the row's own page shows them."""
    blocks = []
    if may_see(request.user, "accounts.user"):
        blocks.append(_customer(order, with_balance=may_see(request.user, "wallet.wallet")))
    if order.service is not None and may_see(request.user, "catalog.service"):
        blocks.append(_service(order.service))
    return [block.without_empty() for block in blocks]


def similar_to(order: Order) -> list[Order]:
    """Return other orders of the same service, the newest first, and before them those of this customer for this link.

    These are looked for among the customer's last orders: somebody may have half a million. Three queries.
    """
    if order.service_id is None:
        return []
    last = Order.objects.filter(user=order.user_id).order_by("-pk")
    same = [pk for pk, service, link in last.values_list("pk", "service", "link")[:LOOKED_THROUGH]
            if (service, link) == (order.service_id, order.link)]  # fmt: skip
    others = Order.objects.filter(service=order.service_id).exclude(pk=order.pk).order_by("-pk")
    found = {one.pk: one for one in [*others.filter(pk__in=same[: SIMILAR + 1])[:SIMILAR], *others[:SIMILAR]]}
    return list(found.values())[:SIMILAR]


def _customer(order: Order, *, with_balance: bool) -> Block:
    user = order.user
    balance = (
        Wallet.objects.filter(user=user).values_list("balance_micros", flat=True).first() if with_balance else None
    )
    lines = [
        (_("Email"), user.email),
        (_("Group"), str(user.group or "")),
        (_("Customer since"), write_moment(user.date_joined)),
        (_("Balance"), "" if balance is None else money(balance)),
        (_("Language"), user.mail_language),
    ]
    return Block(_("Customer"), lines, reverse("admin:accounts_user_change", args=[user.pk]))


def _service(service: Service) -> Block:
    quality = shown_quality(service)
    withdrawn = _("no longer offered upstream") if service.withdrawn_at else ""
    lines = [
        (_("Upstream ID"), str(service.upstream_id)),
        (_("Paused"), service.paused_because),
        (_("On sale"), withdrawn or ("" if service.visible else _("hidden"))),
        (_("In stock"), "" if service.stock is None else number_format(service.stock, force_grouping=True)),
    ]
    if quality is None:
        lines.append((_("How it does"), _("too few orders to say")))
    else:
        lines += [
            (_("Usually starts in"), quality.start),
            (_("Usually done in"), quality.done),
            (_("Nine in ten done in"), quality.done_most),
            (_("Completed"), quality.completed),
            (_("Not completed"), quality.not_completed),
            (_("Counted"), quality.counted),
        ]
    return Block(_("Service"), lines, reverse("admin:catalog_service_change", args=[service.pk]))
