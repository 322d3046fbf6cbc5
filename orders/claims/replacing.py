"""A replacement: a new order of the same service for so many pieces, which costs its customer nothing.

It goes the way of every order: claimed, sent once, polled. What it costs is ours, and is on our books like any other
cost. If it comes to nothing, or to fewer pieces, the claims it was to settle wait again.
"""

from collections.abc import Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.fast_queries.reads import Prepared
from catalog.pricing import price_book
from notifications.outbox import tell_admins, with_admin_page
from orders.claims.terms import cost_of, paid_order
from orders.lifecycle.line_numbers import spans_of
from orders.lifecycle.refunds import CAME_TO_NOTHING
from orders.lifecycle.settled_lines import SettledLines, pieces_given_back, settled_lines
from orders.lifecycle.wake_forwarder import wake_forwarder
from orders.models import ClaimAnswer, GoodsClaim, Order, OrderEvent, Status
from orders.placing.sale import write_order, write_placed

Code = OrderEvent.Code
MAY_COME_TO_LESS = (Code.REFUSED, Code.CANCELED, Code.PARTIAL, Code.RESOLVED)
_carried_out = Prepared(
    lambda: ClaimAnswer.objects.filter(carried_out_at__isnull=False).order_by().values_list("pk"),
    example=(),
    among=f"{ClaimAnswer._meta.db_table}.replacement_id",
)


def place_replacement(order: Order, pieces: int, *, now: datetime) -> Order:
    """Write the order that replaces lines of this one, paid and waiting to be sent; part of the answer's transaction.

    What it costs us today is a loss that has been accepted: more than that holds it back as any order.
    """
    service = order.service
    assert service is not None  # noqa: S101 - terms_of has looked
    book = price_book(order.user, now=now)
    replacement = Order(
        user=order.user,
        original=paid_order(order),
        title=service.sold_title,
        service=service,
        quantity=pieces,
        link=order.link,
        price_micros=0,
        rate_micros=0,
        rate_upstream_micros=service.rate_upstream_micros,
        rate_per=service.rate_per,
        cost_upstream_micros=book.cost_upstream_micros(service, pieces),
        exchange_rate_micros=book.exchange_rate_micros,
        accepted_loss_micros=cost_of(order, pieces, book),
        warranty_hours=order.warranty_hours,
        created_at=now,
    )
    write_order(replacement)
    write_placed(replacement, now=now, replaces=order.pk)
    wake_forwarder(replacement.pk)
    return replacement


def note_fallen_through(order_ids: Sequence[int], code: str, *, now: datetime) -> None:
    """Let lines wait again whose replacement came to nothing, or to fewer pieces; a listener of orders."""
    if code not in MAY_COME_TO_LESS:
        return
    # Of almost every order there is no such answer, and this question is much cheaper than the next.
    found = [pk for (pk,) in _carried_out.rows(ids=order_ids)]
    if not found:
        return
    answers = ClaimAnswer.objects.filter(pk__in=found)
    for answer in answers.select_related("replacement__goods", "order"):
        missing = _missing(answer.replacement)
        if missing:
            _reopen(answer, answer.lines[-missing:], now)


def _missing(replacement: Order | None) -> int:
    """Return for how many lines it brought nothing. Lines of its own that were settled have their answer already."""
    if replacement is None or replacement.status not in (*CAME_TO_NOTHING, Status.PARTIAL):
        return 0
    own = settled_lines(replacement).own
    if replacement.status in CAME_TO_NOTHING:
        return replacement.quantity - own
    return pieces_given_back(replacement, SettledLines(own=own))


def _reopen(answer: ClaimAnswer, lines: Sequence[int], now: datetime) -> None:
    """Which of several lines were not replaced nobody knows, nor does it matter: so many of them wait."""
    settled = GoodsClaim.objects.filter(answer=answer, line__in=lines)
    with transaction.atomic():
        if not settled.update(state=GoodsClaim.State.WAITING, answer=None):
            return
        ClaimAnswer.objects.filter(pk=answer.pk).update(fell_through_at=now)
        first = GoodsClaim.objects.filter(order=answer.order, line=lines[0]).get()
        with translation.override(settings.LANGUAGE_CODE):
            numbers = {"number": answer.order_id, "replacement": answer.replacement_id}
            subject = _("Order #%(number)s: replacement #%(replacement)s could not be delivered") % numbers
            body = _("These lines wait for another answer: %(lines)s") % {"lines": spans_of(lines)}
            key = f"claim-again:{answer.pk}:{len(lines)}"
            tell_admins(key, subject, with_admin_page(body, first), now)
