"""What the wallet's pages say about orders: which order a payment is for, and what money orders hold back."""

import re

from django.db.models import Count, F, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from accounts.models import User
from orders.models import Order, PendingCheckout, Status
from orders.placing.pay_first import close_pending_of, is_looked_at
from wallet.extensions import Booked, Purpose, Reserved
from wallet.models import TopUp

_ORDER = re.compile(r"(?:#|order:)?([0-9]{1,18})(:\S+)?")  # as many digits as every column of numbers holds


def purpose_of(top_up: TopUp) -> Purpose | None:
    """Return the order that waits for this payment; one whose payment is through is placed now."""
    pending = close_pending_of(top_up, now=timezone.now())
    if pending is None:
        return None
    service = f"{reverse('orders:place', args=[pending.service_id])}?{urlencode({'quantity': pending.quantity})}"
    title = pending.service.title
    if pending.order_id:
        text = _("Order #%(number)s has been placed: %(title)s.") % {"number": pending.order_id, "title": title}
        order = reverse("orders:detail", args=[pending.order_id])
        return Purpose(text, "success", order, _("Go to order #%(number)s") % {"number": pending.order_id})
    if pending.state == PendingCheckout.State.DROPPED:
        text = _("Your order was not placed: %(title)s. %(reason)s") % {"title": title, "reason": pending.reason}
        if pending.top_up.credited_micros:
            text = f"{text} {_('The money is in your balance.')}"
        return Purpose(text, "warning", service, _("Order again"))
    if is_looked_at(pending.top_up):
        text = _("We are looking at your payment. If it is confirmed, your order is placed automatically: %(title)s.")
        return Purpose(text % {"title": title}, moving=True)
    text = _("Your order will be placed automatically as soon as the payment arrives: %(title)s.") % {"title": title}
    return Purpose(text, moving=True)


def reserved_by(user: User) -> Reserved:
    """Return the paid orders that have not been sent yet: what cannot be sent comes back."""
    waiting = Order.objects.filter(user=user, status=Status.PAID)
    sums = waiting.aggregate(count=Count("pk"), amount=Sum(F("price_micros") - F("refunded_micros")))
    return Reserved(sums["count"], sums["amount"] or 0, f"{reverse('orders:list')}?group=open")


def booked_for_order(typed: str) -> Booked | None:
    """Return the ledger rows of the order with this number, typed as it is shown or as rows name it ("order:5")."""
    number = _ORDER.fullmatch(typed)
    if number is None:
        return None
    user = Order.objects.filter(pk=int(number[1])).values_list("user_id", flat=True).first()
    return None if user is None else Booked(user, f"order:{int(number[1])}{number[2] or ''}")
