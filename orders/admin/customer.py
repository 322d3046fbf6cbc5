"""What orders show on a customer's page: the orders, and what they left the shop."""

from django.db.models import Count
from django.http import HttpRequest
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.admin.blocks import Block, Row
from accounts.admin.customer_blocks import NEWEST, shows_of_customers
from accounts.models import User
from accounts.templatetags.money import money
from orders.accounting.report.customer import line_of
from orders.models import OPEN, Order, Status


@shows_of_customers("orders.order", place=30)
def orders(user: User, request: HttpRequest) -> Block:
    """Show how many there are, and the newest; three statements."""
    theirs = Order.objects.filter(user=user)
    counted = dict(theirs.order_by().values_list("status").annotate(count=Count("pk")))
    lines = [
        (_("In all"), _count(sum(counted.values()))),
        (pgettext("orders", "Open"), _count(sum(counted.get(status, 0) for status in OPEN))),
        (pgettext("orders", "Completed"), _count(counted.get(Status.COMPLETED, 0))),
        (_("Need attention"), _count(theirs.needing_attention().count())),
    ]
    rows = [
        Row(f"#{pk} · {title}", f"{money(micros)} · {Status(status).label}",
            reverse("admin:orders_order_change", args=[pk]))
        for pk, title, micros, status in theirs.newest_first().values_list("pk", "title", "price_micros", "status")[
            :NEWEST
        ]
    ]  # fmt: skip
    every = f"{reverse('admin:orders_order_changelist')}?user__id__exact={user.pk}" if rows else ""
    return Block(_("Orders"), lines, rows=rows, all_link=every)


@shows_of_customers("orders.books", place=15)
def money_left(user: User, request: HttpRequest) -> Block:
    """Show what the customer paid and left, as the books count it; three statements."""
    line = line_of(user)
    lines = [
        (_("Paid in"), money(sum(line.money_in.values()) - line.taken_back)),
        (_("Sales"), money(line.sales)),
        (_("Discounts"), _sum(line.discounts)),
        (_("Refunds"), _sum(line.refunds)),
        (_("Claims"), _sum(line.claims)),
        (_("Upstream cost"), money(line.cost)),
        (_("Margin"), money(line.margin)),
        (_("Earned by referrals"), _sum(line.referral)),
        (_("Cashback"), _sum(line.cashback)),
    ]
    return Block(_("Paid and left as margin"), lines)


def _count(number: int) -> str:
    return number_format(number, force_grouping=True) if number else ""


def _sum(micros: int) -> str:
    return money(micros) if micros else ""
