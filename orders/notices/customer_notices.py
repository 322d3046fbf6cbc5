"""What a customer is told about an order of theirs, with the arithmetic of its refund."""

from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.templatetags.money import money
from notifications.kinds import ORDERS
from notifications.models import Notice
from notifications.outbox import write_notices
from orders.models import Kind, Order, Status, load_services_sold
from upstream.money import round_refund


def announce(orders: Iterable[Order], *, now: datetime) -> None:
    """Tell the buyers of these orders how they stand: finished, partial, canceled, failed, or refunded.

    Part of the caller's transaction, and harmless to repeat: each standing, a higher refund included, is told once.
    Buyers of numbers wait at their page and are told nothing. Reads `order.user`, and `order.goods` where
    there are any.
    """
    told = [order for order in orders if order.kind == Kind.SERVICE and not _is_ours(order)]
    load_services_sold(told)
    notices = []
    for order in told:
        with translation.override(order.user.mail_language):
            notices.append(notice_of_standing(order, now))
    write_notices(notices)


def _is_ours(order: Order) -> bool:
    """A replacement that came to nothing: its customer paid nothing for it, and gets another answer to their claim."""
    return order.original_id is not None and order.status in (Status.CANCELED, Status.FAILED)


def notice_of_standing(order: Order, now: datetime) -> Notice:
    """Return what its buyer is told of an order as it stands, in the language that is active; it is not written yet."""
    subjects = {
        Status.COMPLETED: _("Order #%(number)s is complete"),
        Status.PARTIAL: _("Order #%(number)s was partially completed"),
        Status.CANCELED: _("Order #%(number)s was canceled and refunded"),
        Status.FAILED: _("Order #%(number)s could not be completed and was refunded"),
    }
    standing = Status(order.status)
    if standing not in subjects or (standing == Status.COMPLETED and order.refunded_micros):
        name, subject = "refunded", _("Refund for order #%(number)s")
    else:
        name, subject = standing.value, subjects[standing]
    return Notice(
        user=order.user,
        key=f"order:{order.pk}:{order.status}:{order.refunded_micros}",
        kind=ORDERS,
        url=reverse("orders:detail", args=[order.pk]),
        subject=subject % {"number": order.pk},
        body=render_to_string(f"orders/mail/{name}.txt", _figures(order)).strip(),
        created_at=now,
    )


def _figures(order: Order) -> dict[str, object]:
    remains = None if order.remains is None else min(max(order.remains, 0), order.quantity)
    follows = (
        remains is not None and round_refund(order.price_micros * remains, order.quantity) == order.refunded_micros
    )
    return {
        "order": order,
        "price": money(order.price_micros),
        "refunded": money(order.refunded_micros),
        "is_refunded": bool(order.refunded_micros),
        "quantity": number_format(order.quantity, force_grouping=True),
        "remains": None if remains is None else number_format(remains, force_grouping=True),
        "formula": follows,
        "delivered": getattr(getattr(order, "goods", None), "pieces", 0),
        "url": settings.SITE_URL + reverse("orders:detail", args=[order.pk]),
    }
