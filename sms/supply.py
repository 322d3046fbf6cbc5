"""How numbers are bought upstream and followed: `add_sms`, `sms_code` and `sms_status`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from catalog.models import SyncRun
from orders.attempts.losses import book_unasked
from orders.attempts.sync_span import sync_span
from orders.lifecycle.listeners import tell_of_changes
from orders.lifecycle.supply import CostRange, Placed, Report, is_foreign
from orders.lifecycle.transitions import Change, write_events
from orders.models import FINISHED, LostAttempt, Order, OrderEvent, RefundReason, Status
from orders.preferences import POLL_LATEST as ORDERS_LATEST
from orders.preferences import POLL_SOONEST as ORDERS_SOONEST
from sms.formats.status_words import (
    CANCELED_WORDS,
    ENDING_WORDS,
    FORGOTTEN,
    RECEIVED_WORDS,
    SUCCESS_WORDS,
    is_final,
    says,
    still_waits,
    waits,
    without_code,
    words_of,
)
from sms.models import Number
from sms.poll_interval import next_question
from sms.preferences import POLL_SOONEST as NUMBERS_SOONEST
from upstream.client import Client
from upstream.errors import OrderNotFound, UpstreamError
from upstream.money import micros_from_decimal, rounding_micros
from upstream.protocol.wire import SmsCode, SmsNumber, SmsStatus
from upstream.reading.amounts import MAX_INTEGER
from upstream.reading.codes import has_digits
from upstream.reading.times import expiry

FEWEST_DIGITS_AT_THE_END = 3
STATUS_EVERY = timedelta(minutes=2)
CHARGE_IS_ASKED_FOR = timedelta(minutes=10)  # after the code has come
LONGEST_LIFETIMES = 12  # of SMS_LIFETIME_SECONDS: an expiry further away is none that was meant


@dataclass(frozen=True)
class Details:
    """What a poll learned about a number; empty where it learned nothing."""

    state: str = ""
    code: str = ""
    content: str = ""
    phone: str = ""
    expires_at: datetime | None = None
    followed: bool = False  # nobody waits for this number any more, only its charge is of interest


class NumberSupply:
    """Supplies orders of kind "number": one number each, because `add_sms` may return fewer than asked."""

    related: tuple[str, ...] = ("number", "number__project", "number__project__country")
    patience: timedelta | None = timedelta(seconds=30)
    refund_unknown = True
    counts_not_found = False  # a number ends when its time is over
    newest_first = True  # when there is not time for all, those wait to which a code hardly comes any more

    @property
    def retry_after(self) -> timedelta:
        return NUMBERS_SOONEST.value

    @property
    def poll_batch(self) -> int:
        """What is asked about within a second: an answer waits for the others of its batch to be recorded."""
        return min(int(settings.UPSTREAM_MAX_PER_SECOND), int(settings.ORDERS_POLL_BATCH))

    def cost_now(self, order: Order) -> int:
        price_micros: int = order.number.project.price_upstream_micros
        return price_micros

    def cost_range(self, attempt: LostAttempt) -> CostRange:
        """From what it was expected to cost to what the project costs now.

        Prices of projects have no history: with more than one sync that changed any since, others may have lain
        between. Nobody will learn them any more, so no charge contradicts anything then.
        """
        now_micros = self.cost_now(attempt.order)
        then_micros = now_micros if attempt.cost_upstream_micros is None else attempt.cost_upstream_micros
        span = sync_span(SyncRun.Kind.SMS, attempt.sent_at)
        changing = SyncRun.objects.filter(kind=SyncRun.Kind.SMS, started_at__gt=span.after, changed__gt=0).count()
        if span.closed and changing > 1:
            return CostRange(0, MAX_INTEGER, settled=True)
        low, high = sorted((then_micros, now_micros))
        return CostRange(low, high, settled=span.closed)

    def send(self, client: Client, order: Order) -> Placed:
        number = order.number
        project = number.project
        answers = client.add_sms(
            project_id=project.upstream_id, quantity=1, country=project.country_upstream, phone=number.reuse_phone
        )
        first, *others = answers
        return Placed(first.order_id, first, also=tuple(answer.order_id for answer in others))

    def record_placed(self, order: Order, placed: Placed, now: datetime) -> None:
        phone = placed.details.phone if isinstance(placed.details, SmsNumber) else ""
        Number.objects.filter(order=order).update(state=Number.State.WAITING, phone=phone)
        book_unasked(order, placed.also, now=now)

    def record_closed(self, order: Order, now: datetime) -> None:
        Number.objects.filter(order=order).update(state=Number.State.CANCELED)

    def ask(self, client: Client, order: Order, now: datetime) -> Report:
        """Ask for the code, now and then for expiry and charge instead; for both where they may decide something."""
        if order.status in FINISHED:
            return self._ask_the_charge(client, order)
        try:
            return _ask(client, order, now)
        except OrderNotFound as refusal:
            if now < _deadline(order.number):
                raise  # a supplier's slip; the number may still be alive
            # What it cost is not known then, so neither does it keep back the money of who gave the number up.
            return Report(
                status=Status.CANCELED,
                word=refusal.text,
                details=Details(state=Number.State.EXPIRED),
                why=RefundReason.EXPIRED,
            )

    def _ask_the_charge(self, client: Client, order: Order) -> Report:
        """Ask what a number cost that is settled: its code has come, or its buyer has the money back.

        Nothing that is said of it now takes the code away, or gives anything back; a code that comes is nobody's.
        """
        followed = Details(followed=True) if order.status == Status.CANCELED else None
        try:
            answer = client.sms_status(order_id=str(order.upstream_id))
        except OrderNotFound:
            return Report(status=order.status, word=FORGOTTEN, details=followed)
        except UpstreamError:
            if order.status != Status.COMPLETED:
                raise  # the books need the charge of a loss
            return Report(status=order.status, word=order.upstream_word)
        word = without_code(answer.status, answer.code)
        return Report(status=order.status, word=word, details=followed, **_charge(answer))

    def look_up(self, client: Client, upstream_id: str) -> Report | None:
        try:
            answer = client.sms_status(order_id=upstream_id)
        except OrderNotFound:
            return None
        ended = says(answer.status, ENDING_WORDS) and not _code_in(answer)
        status = Status.CANCELED if ended else Status.PENDING
        return Report(status=status, word=without_code(answer.status, answer.code), **_charge(answer))

    def with_status(self, report: Report, status: str) -> Report:
        """A number waits or is over: only "canceled" ends it without a code, every other word means that it waits."""
        if status != Status.CANCELED:
            return replace(report, status=Status.PENDING)
        details = report.details if isinstance(report.details, Details) else Details()
        details = replace(details, state=Number.State.CANCELED)
        return replace(report, status=Status.CANCELED, details=details, why=RefundReason.CANCELED)

    def record_report(self, order: Order, report: Report, now: datetime) -> None:
        details = report.details
        if not isinstance(details, Details):
            return
        if details.followed:
            _book_loss(order, now)
            return
        fields = {
            name: value
            for name in ("state", "code", "content", "phone", "expires_at")
            if (value := getattr(details, name))
        }
        if details.state == Number.State.RECEIVED:
            fields["received_at"] = now
        elif details.state:
            fields["content"] = ""
        if fields:
            Number.objects.filter(order=order).update(**fields)
        if order.status == Status.CANCELED:
            _book_loss(order, now)
        if details.phone and not details.state:  # it came later than the order, and moves nothing that has an event
            tell_of_changes([order.pk], "phone", now=now)

    def next_poll(self, order: Order, now: datetime) -> datetime | None:
        if order.status not in FINISHED:
            again = next_question(order.sent_at or order.created_at, now)
            # An end that is due should not wait for a long interval.
            ends_at = _deadline(order.number)
            return min(again, ends_at) if now < ends_at else again
        if order.status in (Status.FAILED, Status.CANCELED):
            return self._next_poll_of_loss(order, now)
        charge_is_open = order.status == Status.COMPLETED and order.charge_upstream_micros is None
        if charge_is_open and now < (order.finished_at or now) + CHARGE_IS_ASKED_FOR:
            return now + ORDERS_SOONEST.value
        return None

    def _next_poll_of_loss(self, order: Order, now: datetime) -> datetime | None:
        """Until its charge is final: the number has ended upstream or has had its code; or a week is over.

        A number whose end upstream has named is not asked about at all.
        """
        began = order.sent_at or order.created_at
        over = now >= began + timedelta(days=settings.LATE_CHANGE_DAYS)
        if order.upstream_id is None or over or is_final(order.upstream_word):
            return None
        if order.status == Status.CANCELED:
            # Numbers that stay silent are many: each pause is as long as all before it.
            since_its_end = now - (order.finished_at or began)
            return now + max(since_its_end, ORDERS_SOONEST.value)
        alive = now < _deadline(order.number) + CHARGE_IS_ASKED_FOR
        return now + (ORDERS_SOONEST.value if alive else ORDERS_LATEST.value)


def ask_thoroughly(client: Client, order: Order, now: datetime) -> Report:
    """Ask everything there is to ask about an open number, before something is decided. Raises what reads raise."""
    return _ask(client, order, now, thoroughly=True)


def _ask(client: Client, order: Order, now: datetime, *, thoroughly: bool = False) -> Report:
    number, upstream_id = order.number, str(order.upstream_id)
    code, status, failure = None, None, None
    ending = thoroughly or now >= _deadline(number)
    asked_lately = order.polled_at is not None and _slot(order, now) == _slot(order, order.polled_at)
    if not asked_lately or ending or number.cancel_requested_at is not None:
        try:
            status = client.sms_status(order_id=upstream_id)
        except UpstreamError as error:
            failure = error  # a code is what the buyer waits for; what the number cost is asked again
    # Both calls name a code that has come, so one is enough while nothing happens.
    if status is None or ending or not _only_waits(status):
        code = client.sms_code(order_id=upstream_id)
        if failure is not None and not _code_in(code):
            raise failure
        if status is None and failure is None and (_code_in(code) or says(code.status, ENDING_WORDS)):
            try:
                status = client.sms_status(order_id=upstream_id)
            except UpstreamError:
                if not _code_in(code):
                    raise
    return _report(number, code, status, now)


def _only_waits(status: SmsStatus) -> bool:
    return not _code_in(status) and waits(status.status) and not is_final(status.status)


def _code_in(answer: SmsCode | SmsStatus) -> str:
    """Return the code that has come: what stands in its place while the status says that it has not, is none.

    Zeros and letters also stand for nothing, or for what went wrong: they are a code where the status says that one was
    received, letters also where it says nothing. Beside an end without a code it takes a few digits to be one.
    """
    found, status = answer.code, answer.status
    if still_waits(status):
        return ""
    has_come = says(status, SUCCESS_WORDS)
    if not found.strip("0 -") or not has_digits(found):
        return found if has_come or (not status and not has_digits(found)) else ""
    few = sum(map(str.isdecimal, found)) < FEWEST_DIGITS_AT_THE_END
    return "" if few and says(status, ENDING_WORDS) else found


def _message_in(answer: SmsCode | SmsStatus) -> str:
    """Return the message that was bought: some hold a link and no code."""
    return answer.sms_content if _code_in(answer) or says(answer.status, RECEIVED_WORDS) else ""


def _slot(order: Order, moment: datetime) -> int:
    return (moment - (order.sent_at or order.created_at)) // STATUS_EVERY


def _deadline(number: Number, told: datetime | None = None) -> datetime:
    """When we stop waiting: upstream's expiry, or our own guess at it, plus a grace for a late code."""
    guess = number.created_at + timedelta(seconds=settings.SMS_LIFETIME_SECONDS)
    ends_at = _plausible_expiry(number, told) or _plausible_expiry(number, number.expires_at) or guess
    return ends_at + timedelta(seconds=settings.SMS_GRACE_SECONDS)


def _plausible_expiry(number: Number, told: datetime | None) -> datetime | None:
    """Return an expiry that makes sense, None for another: a supplier's clock may be wrong, or its zone not told.

    A number that has expired before it was bought would be given up while its code is on the way.
    """
    bought_at = max(number.created_at, number.order.sent_at or number.created_at)
    return expiry(told, after=bought_at, longest=timedelta(seconds=settings.SMS_LIFETIME_SECONDS * LONGEST_LIFETIMES))


def _report(number: Number, code: SmsCode | None, status: SmsStatus | None, now: datetime) -> Report:
    answers = [answer for answer in (code, status) if answer is not None]
    text = next(filter(None, map(_code_in, answers)), "")
    content = next(filter(None, map(_message_in, answers)), "")
    words = [answer.status for answer in reversed(answers)]
    charged = {} if status is None else _charge(status)
    charge = charged.get("charge_upstream_micros")
    new_status: str | None = Status.PENDING
    state = ""
    why: RefundReason | None = None
    if text or content:
        new_status, state = Status.COMPLETED, Number.State.RECEIVED
    elif ended := _ended(number, words, status, now):
        state = ended
        why = RefundReason.CANCELED if ended == Number.State.CANCELED else RefundReason.EXPIRED
        # Who gave the number up gets the money back unless it was charged for all the same.
        new_status = Status.COMPLETED if number.cancel_requested_at and charge else Status.CANCELED
    elif number.cancel_requested_at and charge == 0:
        new_status, state, why = Status.CANCELED, Number.State.CANCELED, RefundReason.CANCELED_BY_CUSTOMER
    elif not waits(words[0]) and not says(words[0], RECEIVED_WORDS):
        new_status = None  # a word nobody told us about: kept, flagged, nothing changes
    return Report(
        status=new_status,
        word=without_code(words[0], text),
        **charged,
        payload={},  # the code is the buyer's secret: it is kept on the number only
        details=_news(number, status, text=text, content=content, state=state),
        why=why,
    )


def _charge(answer: SmsStatus) -> dict[str, Any]:
    if answer.charge is None or is_foreign(answer.currency):
        return {"currency": answer.currency}
    return {
        "charge_upstream_micros": micros_from_decimal(answer.charge),
        "charge_rounding_micros": rounding_micros(answer.charge),
        "currency": answer.currency,
    }


def _ended(number: Number, words: Sequence[str], status: SmsStatus | None, now: datetime) -> str:
    """Return the state of a number that is over without a code, "" while it waits."""
    if any(says(word, ENDING_WORDS) for word in words):
        canceled = any(says(word, ENDING_WORDS) and CANCELED_WORDS & set(words_of(word)) for word in words)
        return Number.State.CANCELED if canceled else Number.State.EXPIRED
    if status is None:
        return ""
    ends_at = _deadline(number, status.expires_at)
    if number.cancel_requested_at and status.charge:
        ends_at += CHARGE_IS_ASKED_FOR  # upstream may be about to give it back
    return Number.State.EXPIRED if now >= ends_at else ""


def _news(number: Number, status: SmsStatus | None, *, text: str, content: str, state: str) -> Details | None:
    phone = status.phone if status and not number.phone else ""
    told = _plausible_expiry(number, status.expires_at) if status else None
    expires_at = told if told != number.expires_at else None
    if not (text or state or phone or expires_at):
        return None
    # What was not sold is not shown: as long as a number waits it may still end without a code, and be refunded.
    content = content if state == Number.State.RECEIVED else ""
    return Details(state=state, code=text, content=content, phone=phone, expires_at=expires_at)


def _book_loss(order: Order, now: datetime) -> None:
    """Book, once its charge is final, what upstream took for a number whose buyer has the money back."""
    if order.next_poll_at is not None or not order.charge_upstream_micros:
        return
    if not order.events.filter(code=OrderEvent.Code.LOSS, evidence__upstream_id=order.upstream_id).exists():
        evidence = {"upstream_id": order.upstream_id, "charge": order.charge_upstream_micros}
        change = Change(order.pk, {}, {**evidence, "word": order.upstream_word})
        write_events([change], code=OrderEvent.Code.LOSS, status=order.status, now=now)
