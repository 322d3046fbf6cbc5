"""What an answer to a claim would do to whose money, before anything is done."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.pricing import PriceBook, price_book
from orders.lifecycle.line_numbers import spans_of
from orders.lifecycle.refund_requests import given_by_staff_micros
from orders.lifecycle.settled_lines import SettledLines, due_in_all_micros, settled_lines
from orders.models import ClaimAnswer, GoodsClaim, Order
from orders.placing.check import check_order
from orders.placing.refusals import OrderRefused
from upstream.money import MICROS

Kind = ClaimAnswer.Kind


class AnswerRefused(Exception):
    """This answer can't be given as things stand; the text is for staff. Nothing has changed."""


class AlreadyAnswered(AnswerRefused):
    """A colleague has answered one of these lines before."""

    def __init__(self) -> None:
        super().__init__(_("A colleague has already answered some of these lines. Nothing was changed."))


@dataclass(frozen=True)
class Terms:
    """What an answer moves, in the shop's currency: back to the customer, or out of our pocket."""

    kind: str
    lines: list[int]
    refund_micros: int = 0
    cost_micros: int = 0

    @property
    def amount_micros(self) -> int:
        """What counts for how much one person may move alone."""
        return self.refund_micros or self.cost_micros


def claimed_order(order_id: int) -> Order:
    """Return an order with what answering its claims reads."""
    related = ("user", "service__category", "goods", "original__user", "original__goods")
    return Order.objects.select_related(*related).get(pk=order_id)


def paid_order(order: Order) -> Order:
    """Return the order whose price paid for this one: itself, or the one that it replaces goods of."""
    return order.original or order


def waiting_lines(order: Order, asked: Iterable[int]) -> list[int]:
    """Return these lines in order. Raises AnswerRefused for none, AlreadyAnswered where one of them waits no more."""
    lines = sorted(set(asked))
    if not lines:
        raise AnswerRefused(_("Choose at least one line."))
    waiting = GoodsClaim.objects.filter(order=order, line__in=lines, state=GoodsClaim.State.WAITING)
    if waiting.count() != len(lines):
        raise AlreadyAnswered
    return lines


def terms_of(order: Order, kind: str, asked: Iterable[int], *, now: datetime) -> Terms:
    """Return what this answer for these lines would move as things stand. Raises AnswerRefused.

    The order comes from `claimed_order`; nothing is asked upstream.
    """
    lines = waiting_lines(order, asked)
    if kind != Kind.REFUSED:
        _refuse_what_waits_at_the_original(order, lines)
    if kind == Kind.REFUNDED:
        return Terms(kind, lines, refund_micros=_refund_micros(order, lines))
    if kind == Kind.REPLACED:
        return Terms(kind, lines, cost_micros=_cost_micros(order, lines, now))
    return Terms(kind, lines)


def _refuse_what_waits_at_the_original(order: Order, lines: Sequence[int]) -> None:
    """Raise AnswerRefused for lines of a replacement that came to less: what it was to replace waits for an answer."""
    if order.original_id is None:
        return
    replaces = ClaimAnswer.objects.get(replacement=order)
    if settled_lines(order).own + len(lines) > replaces.claims.count():
        text = _("What this order was to replace waits for an answer at order #%(number)s: answer it there.")
        raise AnswerRefused(text % {"number": replaces.order_id})


def cost_of(order: Order, pieces: int, book: PriceBook) -> int:
    """Return what so many pieces of an order's service cost us today, in the shop's currency, rounded up."""
    assert order.service is not None  # noqa: S101 - only goods of services are claimed
    return -(-book.cost_upstream_micros(order.service, pieces) * book.exchange_rate_micros // MICROS)


def _refund_micros(order: Order, lines: Sequence[int]) -> int:
    """Their share of the price, as far as it hasn't been given back, whyever."""
    paid = paid_order(order)
    more = SettledLines(len(lines), len(lines) if order == paid else 0)
    due_micros = min(due_in_all_micros(paid, more=more) - _counted_micros(paid), paid.kept_micros)
    if due_micros <= 0:
        words = ngettext(
            "The money for line %(lines)s has been given back already.",
            "The money for lines %(lines)s has been given back already.",
            len(lines),
        )
        raise AnswerRefused(words % {"lines": spans_of(lines)})
    return due_micros


def _counted_micros(paid: Order) -> int:
    """Return what has been given back for undelivered pieces and lines, or would have been.

    What staff gave for reasons of its own was for none of them; what upstream gave back since has been counted against
    that, and is settled all the same.
    """
    parts_micros = given_by_staff_micros(paid)
    return max(paid.refunded_micros - parts_micros, due_in_all_micros(paid) if parts_micros else 0)


def _cost_micros(order: Order, lines: Sequence[int], now: datetime) -> int:
    paid, service = paid_order(order), order.service
    more = SettledLines(own=len(lines) if order == paid else 0)
    # With these lines settled less would be due than was given back: then it was for them.
    is_given_back = due_in_all_micros(paid, more=more) < _counted_micros(paid)
    if is_given_back or paid.kept_micros <= 0:
        raise AnswerRefused(_("The money for these lines has been given back already: refuse them, and say so."))
    if service is None:
        raise AnswerRefused(_("This service is no longer sold."))
    try:
        check_order(service, quantity=len(lines), link=order.link, comments="")
    except OrderRefused as refusal:
        text = _("A replacement can't be ordered: %(reason)s Give the money back instead.")
        raise AnswerRefused(text % {"reason": refusal}) from refusal
    cost_micros = cost_of(order, len(lines), price_book(order.user, now=now))
    if cost_micros <= 0:
        raise AnswerRefused(_("This service has no cost right now. Give the money back instead."))
    return cost_micros
