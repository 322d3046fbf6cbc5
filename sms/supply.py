"""How numbers are bought upstream and followed: `add_sms`, `sms_code` and `sms_status`."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings

from orders.models import FINISHED, Order, Status
from orders.supply import Placed, Report
from sms.models import Number
from upstream.client import Client
from upstream.errors import OrderNotFound, OutcomeUnknown, UpstreamError
from upstream.money import micros_from_decimal
from upstream.wire import SmsCode, SmsNumber, SmsStatus

ENDING_WORDS = ("cancel", "expire", "refund")
WAITING_WORDS = ("active", "waiting", "pending", "sent", "in progress")
RECEIVED_WORDS = ("code_received", "code received", "completed", "received", "finished")
FORGOTTEN = "order not found"
FINAL_WORDS = (*ENDING_WORDS, *RECEIVED_WORDS, FORGOTTEN)
STATUS_EVERY = timedelta(seconds=15)
CHARGE_IS_ASKED_FOR = timedelta(minutes=10)  # after the code has come
LONGEST_PHONE = LONGEST_CODE = 40  # what the columns of a number hold


@dataclass(frozen=True)
class Details:
    """What a poll learned about a number; empty where it learned nothing."""

    state: str = ""
    code: str = ""
    content: str = ""
    phone: str = ""
    expires_at: datetime | None = None


class NumberSupply:
    """Supplies orders of kind "number": one number each, because `add_sms` may return fewer than asked."""

    related: tuple[str, ...] = ("number", "number__project", "number__project__country")
    patience: timedelta | None = timedelta(seconds=30)
    refund_unknown = True

    def cost_now(self, order: Order) -> int:
        price_micros: int = order.number.project.price_upstream_micros
        return price_micros

    def send(self, client: Client, order: Order) -> Placed:
        number = order.number
        project = number.project
        answers = client.add_sms(
            project_id=project.upstream_id, quantity=1, country=project.country.code, phone=number.reuse_phone
        )
        if len(answers) != 1:
            ids = ", ".join(answer.order_id for answer in answers)
            raise OutcomeUnknown(f"asked for one number, the answer has {len(answers)}: {ids}")
        return Placed(answers[0].order_id, answers[0])

    def record_placed(self, order: Order, placed: Placed, now: datetime) -> None:
        phone = placed.details.phone if isinstance(placed.details, SmsNumber) else ""
        Number.objects.filter(order=order).update(state=Number.State.WAITING, phone=phone[:LONGEST_PHONE])

    def record_closed(self, order: Order, now: datetime) -> None:
        Number.objects.filter(order=order).update(state=Number.State.CANCELED)

    def ask(self, client: Client, order: Order, now: datetime) -> Report:
        """Ask for the code at every poll; for expiry and charge less often, and whenever they may decide something."""
        if order.status in FINISHED:
            return self._ask_the_charge(client, order)
        try:
            return _ask(client, order, now)
        except OrderNotFound as refusal:
            if now < _deadline(order.number):
                raise  # a supplier's slip; the number may still be alive
            return Report(
                status=Status.CANCELED, word=refusal.text, details=Details(state=Number.State.EXPIRED), why="expired"
            )

    def _ask_the_charge(self, client: Client, order: Order) -> Report:
        """Ask what a number cost that is settled: its code has come, or it was booked as the shop's loss.

        Nothing that is said of it now takes the code away, or gives anything back.
        """
        try:
            answer = client.sms_status(order_id=str(order.upstream_id))
        except OrderNotFound:
            return Report(status=order.status, word=FORGOTTEN)
        except UpstreamError:
            if order.status == Status.FAILED:
                raise  # the books need the charge of a loss
            return Report(status=order.status, word=order.upstream_word)
        charge = None if answer.charge is None else micros_from_decimal(answer.charge)
        return Report(status=order.status, word=answer.status, charge_upstream_micros=charge)

    def look_up(self, client: Client, upstream_id: str) -> Report | None:
        try:
            answer = client.sms_status(order_id=upstream_id)
        except OrderNotFound:
            return None
        charge = None if answer.charge is None else micros_from_decimal(answer.charge)
        ended = _means(answer.status, ENDING_WORDS) and not answer.code
        status = Status.CANCELED if ended else Status.PENDING
        return Report(status=status, word=answer.status, charge_upstream_micros=charge)

    def with_status(self, report: Report, status: str) -> Report:
        """A number waits or is over: only "canceled" ends it without a code, every other word means that it waits."""
        if status != Status.CANCELED:
            return replace(report, status=Status.PENDING)
        details = report.details if isinstance(report.details, Details) else Details()
        details = replace(details, state=Number.State.CANCELED)
        return replace(report, status=Status.CANCELED, details=details, why="canceled")

    def record_report(self, order: Order, report: Report, now: datetime) -> None:
        details = report.details
        if not isinstance(details, Details):
            return
        fields = {
            name: value
            for name in ("state", "code", "content", "phone", "expires_at")
            if (value := getattr(details, name))
        }
        if details.state == Number.State.RECEIVED:
            fields["received_at"] = now
        if fields:
            Number.objects.filter(order=order).update(**fields)

    def next_poll(self, order: Order, now: datetime) -> datetime | None:
        if order.status not in FINISHED:
            return now + timedelta(seconds=settings.SMS_POLL_SECONDS)
        if order.status == Status.FAILED:
            return self._next_poll_of_loss(order, now)
        charge_is_open = order.status == Status.COMPLETED and order.charge_upstream_micros is None
        if charge_is_open and now < (order.finished_at or now) + CHARGE_IS_ASKED_FOR:
            return now + timedelta(seconds=settings.ORDERS_POLL_MIN_SECONDS)
        return None

    def _next_poll_of_loss(self, order: Order, now: datetime) -> datetime | None:
        """Until its charge is final: the number has ended upstream or has had its code; or a week is over."""
        began = order.sent_at or order.created_at
        over = now >= began + timedelta(days=settings.LATE_CHANGE_DAYS)
        if order.upstream_id is None or over or _means(order.upstream_word, FINAL_WORDS):
            return None
        alive = now < _deadline(order.number) + CHARGE_IS_ASKED_FOR
        return now + timedelta(seconds=settings.ORDERS_POLL_MIN_SECONDS if alive else settings.ORDERS_POLL_MAX_SECONDS)


def _ask(client: Client, order: Order, now: datetime) -> Report:
    number, upstream_id = order.number, str(order.upstream_id)
    code, status = client.sms_code(order_id=upstream_id), None
    asked_lately = order.polled_at is not None and _slot(order, now) == _slot(order, order.polled_at)
    if code.code or not asked_lately or now >= _deadline(number) or _means(code.status, ENDING_WORDS):
        try:
            status = client.sms_status(order_id=upstream_id)
        except UpstreamError:
            if not code.code:
                raise
            # The code is what the buyer waits for; what the number cost is asked again.
    late = now >= _deadline(number, status.expires_at if status else None)
    return _report(number, code, status, late=late and status is not None)


def _slot(order: Order, moment: datetime) -> int:
    return (moment - (order.sent_at or order.created_at)) // STATUS_EVERY


def _deadline(number: Number, told: datetime | None = None) -> datetime:
    """When we stop waiting: upstream's expiry, or our own guess at it, plus a grace for a late code."""
    guess = number.created_at + timedelta(seconds=settings.SMS_LIFETIME_SECONDS)
    return (told or number.expires_at or guess) + timedelta(seconds=settings.SMS_GRACE_SECONDS)


def _means(word: str, words: tuple[str, ...]) -> bool:
    return any(part in word.lower() for part in words)


def _report(number: Number, code: SmsCode, status: SmsStatus | None, *, late: bool) -> Report:
    text = code.code or (status.code if status else "")
    content = code.sms_content or (status.sms_content if status else "")
    word = status.status if status else code.status
    charge = status.charge if status else None
    new_status: str | None = Status.PENDING
    state, why = "", ""
    # Some messages hold a link and no code: they are what was bought all the same.
    if text or (content and _means(word, RECEIVED_WORDS)):
        new_status, state = Status.COMPLETED, Number.State.RECEIVED
    elif _means(word, ENDING_WORDS) or _means(code.status, ENDING_WORDS):
        canceled = _means(word, ("cancel",)) or _means(code.status, ("cancel",))
        new_status, state = Status.CANCELED, Number.State.CANCELED if canceled else Number.State.EXPIRED
        why = "canceled" if canceled else "expired"
    elif late:
        new_status, state, why = Status.CANCELED, Number.State.EXPIRED, "expired"
    elif not _means(word, WAITING_WORDS) and not _means(word, RECEIVED_WORDS):
        new_status = None  # a word nobody told us about: kept, flagged, nothing changes
    return Report(
        status=new_status,
        word=word,
        charge_upstream_micros=None if charge is None else micros_from_decimal(charge),
        payload={},  # the code is the buyer's secret: it is kept on the number only
        details=_news(number, status, text=text, content=content, state=state),
        why=why,
    )


def _news(number: Number, status: SmsStatus | None, *, text: str, content: str, state: str) -> Details | None:
    phone = status.phone if status and not number.phone else ""
    expires_at = status.expires_at if status and status.expires_at != number.expires_at else None
    if not (text or state or phone or expires_at):
        return None
    # A code that is longer than its column is read in the message.
    content = content or (text if len(text) > LONGEST_CODE else "")
    return Details(
        state=state, code=text[:LONGEST_CODE], content=content, phone=phone[:LONGEST_PHONE], expires_at=expires_at
    )
