"""What numbers show on a customer's page."""

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.admin.blocks import Block, Row
from accounts.admin.customer_blocks import NEWEST, shows_of_customers
from accounts.models import User
from orders.models import Kind, Order
from sms.models import Number

State = Number.State


@shows_of_customers("sms.number", place=40)
def numbers(user: User, request: HttpRequest) -> Block:
    """Show how many there are, and the newest; three statements."""
    theirs = Number.objects.filter(order__user=user)
    counted = dict(theirs.order_by().values_list("state").annotate(count=Count("pk")))
    lines = [
        (_("In all"), number_format(sum(counted.values()), force_grouping=True)),
        (_("With a code"), number_format(counted.get(State.RECEIVED, 0), force_grouping=True)),
    ]
    orders = Order.objects.filter(user=user, kind=Kind.NUMBER).order_by("-pk").values_list("pk", flat=True)[:NEWEST]
    of_orders = Number.objects.filter(order__in=list(orders)).order_by("-order_id")
    newest = of_orders.values_list("pk", "phone", "order__title", "state")
    rows = [
        Row(phone or title, str(State(state).label), reverse("admin:sms_number_change", args=[pk]))
        for pk, phone, title, state in newest
    ]
    every = f"{reverse('admin:sms_number_changelist')}?order__user__id__exact={user.pk}" if rows else ""
    return Block(_("SMS numbers"), lines if rows else [(_("In all"), _("none"))], rows=rows, all_link=every)
