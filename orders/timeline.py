"""The timeline of an order in the customer's words, with the arithmetic of every refund."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Q, Subquery
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.templatetags.money import money
from orders.claims.answering import what_became_of_lines
from orders.lifecycle.refunds import partial_refund_micros
from orders.lifecycle.service_requests import what_became_of
from orders.models import OPEN, AttentionFlag, Order, OrderEvent, RefundReason, ServiceRequest, Status

Code = OrderEvent.Code
# Once an order is completed, what delayed it until then delays nothing: only goods may still be missing.
_STILL = Q(order__status__in=OPEN) | Q(order__status=Status.COMPLETED, code=AttentionFlag.Code.NO_GOODS)
# What an order is annotated with, to tell since when it waits for a human.
FLAGGED = {
    "flagged_at": Subquery(
        AttentionFlag.objects.delaying()
        .filter(_STILL, order=OuterRef("pk"))
        .order_by("raised_at")
        .values("raised_at")[:1]
    )
}


@dataclass(frozen=True)
class Line:
    """One line of the timeline: what happened, when, which status followed, and the figures."""

    label: str
    at: datetime
    status: str
    detail: str

    @classmethod
    def of(cls, event: OrderEvent) -> "Line":
        return cls(event.get_code_display(), event.created_at, event.status, _detail(event.code, event.data))


def timeline_of(
    events: Iterable[OrderEvent], requests: Iterable[ServiceRequest], *, waits_since: datetime | None = None
) -> list[Line]:
    """Return what happened to an order and what its customer asked for, oldest first.

    `waits_since` is when it began to wait for a human; that it does, and no more, is said as well.
    """
    asked = [Line(_asked(request.kind), request.created_at, "", "") for request in requests]
    lines = [*map(Line.of, events), *asked]
    if waits_since is not None:
        lines.append(Line(_("Takes longer than usual"), waits_since, "", _("Our team is looking into it.")))
    return sorted(lines, key=lambda line: line.at)


def waits_since(order: Order) -> datetime | None:
    """Return since when an order waits for a human, where its customer waits for something; it comes with `FLAGGED`."""
    flagged: datetime | None = getattr(order, "flagged_at", None)
    return flagged


def _asked(kind: str) -> str:
    return _("You requested a refill") if kind == ServiceRequest.Kind.REFILL else _("You requested cancellation")


def _detail(code: str, data: dict[str, Any]) -> str:
    if code == Code.PLACED and "replaces" in data:
        return _("At no charge: it replaces goods of order #%(number)s.") % {"number": data["replaces"]}
    if code == Code.PLACED and "price_micros" in data:
        return _placed(data)
    if code == Code.REFUNDED and "refund_micros" in data:
        return _refund(data)
    if code == Code.PROGRESS and data.get("start_count") is not None:
        return _("Start count: %(count)s.") % {"count": _count(data["start_count"])}
    if code == Code.COUNTS:
        return _counts(data)
    if code == Code.CANCELED and data.get("by") == "customer":
        return _("By you, before it was sent.")
    if code == Code.RESOLVED and "request" in data:
        return what_became_of(data["request"], data.get("state", ""), data.get("answer", ""))
    if code == Code.RESOLVED and "claim" in data:
        return what_became_of_lines(data["claim"], data["lines"], data.get("replacement"), data.get("text", ""))
    return ""


def _counts(data: dict[str, Any]) -> str:
    figures = []
    if data.get("start_count") is not None:
        figures.append(_("Start count: %(count)s.") % {"count": _count(data["start_count"])})
    if data.get("remains") is not None:
        figures.append(_("Remains: %(count)s.") % {"count": _count(data["remains"])})
    return " ".join(figures)


def _placed(data: dict[str, Any]) -> str:
    price = money(data["price_micros"])
    if "coupon" not in data:
        return _("%(price)s paid from your balance.") % {"price": price}
    words = {"price": price, "coupon": data["coupon"], "discount": money(data["discount_micros"])}
    return _("%(price)s paid from your balance; coupon %(coupon)s took off %(discount)s.") % words


def _refund(data: dict[str, Any]) -> str:
    """Say how a refund came about; for a partial one its sum, rounded down to 0.0001."""
    amount, why = money(data["refund_micros"]), str(data["why"])
    if why == RefundReason.PARTIAL and data.get("remains") is not None:
        return _partial_refund(data, amount)
    reason = RefundReason(why).label
    return _("%(reason)s: %(amount)s refunded to your balance.") % {"reason": reason, "amount": amount}


def _partial_refund(data: dict[str, Any], amount: str) -> str:
    price_micros, quantity, remains = data["price_micros"], data["quantity"], data["remains"]
    words = {
        "price": money(price_micros),
        "remains": _count(min(max(remains, 0), quantity)),
        "quantity": _count(quantity),
        "amount": amount,
    }
    if partial_refund_micros(price_micros, quantity, remains) != data["refund_micros"]:
        return (
            _(
                "%(price)s × %(remains)s not delivered ÷ %(quantity)s ordered, less earlier refunds: "
                "%(amount)s refunded to your balance."
            )
            % words
        )
    return (
        _("%(price)s × %(remains)s not delivered ÷ %(quantity)s ordered: %(amount)s refunded to your balance.") % words
    )


def _count(pieces: int) -> str:
    return number_format(pieces, force_grouping=True)
