"""Asking upstream about an order id that staff has found there, before we rely on it."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from orders.attempts.windows import whole
from orders.lifecycle.supply import CostRange, Report, supply_of
from orders.models import LostAttempt, Order
from orders.reconciliation.candidates import charge_is_possible
from upstream.client import Client
from upstream.errors import UpstreamError
from upstream.money import text_from_micros


class NotConfirmed(ValueError):
    """Upstream does not say that this id can be this order; the text is for staff. Nothing has changed."""


@dataclass(frozen=True)
class Confirmed:
    """An upstream order that staff may take for one of ours, and what upstream said of it."""

    upstream_id: str
    charge_upstream_micros: int | None
    evidence: dict[str, Any]


def confirm_upstream_id(order: Order, upstream_id: str, *, client: Client | None, force: bool) -> Confirmed:
    """Ask upstream for this id and compare what it says with the order.

    Raises NotConfirmed when the id is another order's of ours, when upstream does not know it, or when it is about more
    pieces; and, unless `force`, when its charge is not the expected one or upstream cannot be asked (`client` None: it
    is not configured). What was forced is in the evidence. Call it outside of any transaction.
    """
    number = whole(upstream_id.strip())
    plain = upstream_id.strip() if number is None else str(number)  # "007" would be upstream's 7, and not ours
    if not plain:
        raise NotConfirmed(_("Enter the upstream order ID."))
    _check_nobody_has(order, plain)
    try:
        if client is None:
            raise UpstreamError(_("no upstream is configured"))
        report = supply_of(order).look_up(client, plain)
    except UpstreamError as error:
        if not force:
            text = _("We couldn't ask upstream about order %(id)s: %(error)s. Try again, or force it.")
            raise NotConfirmed(text % {"id": plain, "error": error}) from None
        return Confirmed(plain, None, {"upstream_id": plain, "forced": str(error)})
    if report is None:
        raise NotConfirmed(_("Upstream answers “Order not found” for order %(id)s.") % {"id": plain})
    evidence = {
        "upstream_id": plain,
        "word": report.word,
        "charge": report.charge_upstream_micros,
        "remains": report.remains,
    }
    if contradiction := _contradiction(order, report, force=force):
        raise NotConfirmed(contradiction % {"id": plain})
    if force and not _charge_is_right(order, report):
        evidence["forced"] = "the charge is not the expected one"
    return Confirmed(plain, report.charge_upstream_micros, evidence)


def _check_nobody_has(order: Order, upstream_id: str) -> None:
    owner = Order.objects.filter(kind=order.kind, upstream_id=upstream_id).values_list("pk", flat=True).first()
    if owner is not None:
        text = _("Upstream order %(id)s is already linked to our order #%(owner)s.")
        raise NotConfirmed(text % {"id": upstream_id, "owner": owner})
    losses = LostAttempt.objects.filter(kind=order.kind, state=LostAttempt.State.LOSS, upstream_id=upstream_id)
    booked = losses.exclude(order=order).values_list("order", flat=True).first()
    if booked is not None:
        text = _("Upstream order %(id)s has been booked as a loss on our order #%(owner)s.")
        raise NotConfirmed(text % {"id": upstream_id, "owner": booked})


def _contradiction(order: Order, report: Report, *, force: bool) -> str:
    """Return why this cannot be the order, with a place for its id; "" when it can."""
    if report.remains is not None and report.remains > order.quantity:
        text = _("Upstream order %%(id)s is larger: %(remains)s remain, but only %(quantity)s were ordered.")
        return text % {"remains": report.remains, "quantity": order.quantity}
    if force or _charge_is_right(order, report):
        return ""
    text = _(
        "Upstream order %%(id)s was charged %(charge)s %(currency)s, but %(expected)s was expected. If it "
        "is the right order, force it."
    )
    return text % {
        "charge": text_from_micros(report.charge_upstream_micros or 0),
        "expected": text_from_micros(order.cost_upstream_micros),
        "currency": settings.UPSTREAM_CURRENCY,
    }


def _charge_is_right(order: Order, report: Report) -> bool:
    """Whether the charge says nothing against it: none is named yet, or it is what the order costs."""
    return charge_is_possible(CostRange(order.cost_upstream_micros, order.cost_upstream_micros, settled=False), report)
