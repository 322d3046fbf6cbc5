"""Replacing a number to which no code comes with another one, never paying twice for one code."""

from datetime import datetime, timedelta

import structlog
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from orders.fulfilment.poll import record_reports
from orders.lifecycle.refunds import refund_up_to
from orders.lifecycle.supply import related_rows
from orders.lifecycle.transitions import WrongStatus, move_order
from orders.models import UPSTREAM_OPEN, Checkout, Order, OrderEvent, RefundReason, Status
from orders.placing.refusals import OrderRefused, PriceChanged
from sms.limits import check_limits
from sms.models import Number, Project, ReplacementRule
from sms.operations.buy import check_out_for, check_purchase, sell_number
from sms.preferences import REPLACED_AFTER
from sms.pricing import number_book
from sms.supply import ask_thoroughly
from upstream.client import Client
from upstream.errors import UpstreamError

log = structlog.get_logger(__name__)


class CodeHasCome(OrderRefused):
    """The code arrived before the replacement: the number is kept and paid."""


def can_be_replaced(number: Number, now: datetime) -> bool:
    """Whether the number has waited long enough, and still waits; it comes with its order."""
    since = number.order.sent_at or number.created_at
    waits = number.state == Number.State.WAITING and number.order.status in UPSTREAM_OPEN
    patient = now >= since + REPLACED_AFTER.value
    return waits and patient and number.cancel_requested_at is None


def replace_number(
    order_id: int,
    *,
    user: User,
    project: Project,
    shown_price_micros: int,
    request_id: str,
    client: Client,
    automatic: bool = False,
    now: datetime | None = None,
) -> Order:
    """Replace the customer's number with one of `project`, which is for the same website or app; return its order.

    Upstream is asked once more. Without a code the old order is closed and refunded in full and the new one is sold,
    in one transaction; a code that comes to the old number later is nobody's, and its charge the shop's loss. The same
    `request_id` returns the order that it made the first time. What the customer asked to happen with the number
    moves on to the new one; an `automatic` replacement is counted there.

    Raises CodeHasCome, OrderRefused, PriceChanged when it would cost more than the customer saw, InsufficientFunds and
    Number.DoesNotExist for a stranger's number; nothing has changed then but what upstream said of the old number.
    """
    now = now or timezone.now()
    order = _order_of(order_id, user)
    if not Checkout.objects.filter(user=user, request_id=request_id).exists():  # else: the button was pressed before
        _check_can_be_replaced(order, project, now)
        _ask_once_more(order, client, now)
    asked = {"replaces": order_id}

    def buy(checkout: Checkout) -> list[Order]:
        old = _order_of(order_id, user)
        _check_can_be_replaced(old, project, now)
        fresh = Project.objects.select_related("country", "site").get(pk=project.pk)
        book = number_book(user)
        price_micros = book.price_micros(fresh)
        if price_micros > shown_price_micros:
            raise PriceChanged(price_micros, price_micros)
        check_purchase(user, fresh, 1)
        _close(old, now)
        new = sell_number(checkout, fresh, price_micros, book, replaces=old.number)
        check_limits(user, now=timezone.now())
        _hand_on_rule(old.number, new.number, now, automatic=automatic)
        return [new]

    return check_out_for(project, user=user, request_id=request_id, asked=asked, buy=buy)[0]


def _order_of(order_id: int, user: User) -> Order:
    order = Order.objects.filter(pk=order_id, user=user, number__isnull=False).select_related(*related_rows()).first()
    if order is None:
        raise Number.DoesNotExist
    order.number.order = order
    return order


def _check_can_be_replaced(order: Order, project: Project, now: datetime) -> None:
    number: Number = order.number
    if number.state == Number.State.RECEIVED:
        raise CodeHasCome(_("The code has arrived, so the number was not replaced."))
    if project.site_id != number.project.site_id:
        raise OrderRefused(_("A number can only be replaced with one for the same website or app."))
    if number.cancel_requested_at is not None:
        raise OrderRefused(_("You have canceled this number."))
    if number.state != Number.State.WAITING or order.status not in UPSTREAM_OPEN:
        raise OrderRefused(_("This number is no longer waiting for a code."))
    if not can_be_replaced(number, now):
        raise OrderRefused(_("Wait a little longer: the code may still arrive."))


def _ask_once_more(order: Order, client: Client, now: datetime) -> None:
    """Ask upstream about the number and record the answer. Raises CodeHasCome, OrderRefused."""
    try:
        report = ask_thoroughly(client, order, now)
    except UpstreamError as error:
        log.warning("replacement_without_answer", order_id=order.pk, error=str(error))
        raise OrderRefused(_("We can't check right now whether the code has arrived. Please try again.")) from error
    record_reports([(order, report)], now=now)
    order.number.refresh_from_db(fields=["state"])
    if report.status == Status.COMPLETED or order.number.state == Number.State.RECEIVED:
        raise CodeHasCome(_("The code has arrived, so the number was not replaced."))
    if report.status is None:
        raise OrderRefused(_("We can't check right now whether the code has arrived. Please try again."))
    if report.status not in UPSTREAM_OPEN:
        raise OrderRefused(_("This number is no longer waiting for a code."))


def _close(order: Order, now: datetime) -> None:
    """End the old order, unless its code comes at this very moment, and give all its money back."""
    waiting = Number.objects.filter(pk=order.number.pk, state=Number.State.WAITING, cancel_requested_at=None)
    try:
        move_order(
            order.pk,
            Status.CANCELED,
            code=OrderEvent.Code.CANCELED,
            now=now,
            where=Q(status__in=UPSTREAM_OPEN),
            data={"by": "replacement"},
            finished_at=now,
            next_poll_at=now,  # what it costs is asked until that is final
        )
    except WrongStatus:
        raise OrderRefused(_("This number is no longer waiting for a code.")) from None
    if not waiting.update(state=Number.State.CANCELED):
        raise OrderRefused(_("This number is no longer waiting for a code."))
    order.status, order.finished_at = Status.CANCELED, now
    refund_up_to(order, order.price_micros, why=RefundReason.REPLACED, now=now)


def _hand_on_rule(old: Number, new: Number, now: datetime, *, automatic: bool) -> None:
    rule = ReplacementRule.objects.filter(number=old).first()
    if rule is None:
        return
    left = max(rule.left - automatic, 0)
    next_at = now + timedelta(seconds=rule.after_seconds) if left else None
    # A rule that was dropped at this very moment stays dropped.
    ReplacementRule.objects.filter(pk=rule.pk).update(number=new, outcome="", left=left, next_at=next_at)
