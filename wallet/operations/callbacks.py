"""The door gateways knock at. What is said of our payments is kept; only what is proved and fits changes something."""

import hashlib
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from accounts.addresses import counted_as
from wallet.gateways import Gateway, InvalidCallback, PaymentUpdate, State, Unreachable, understood
from wallet.models import GatewayEvent, TopUp
from wallet.operations.apply_payment_update import ChangedMeanwhile, apply_payment_update

log = structlog.get_logger(__name__)
Outcome = GatewayEvent.Outcome

TAKEN, REFUSED, TOO_OFTEN, TRY_AGAIN = 200, 400, 429, 503
MAX_BYTES = 64 * 1024
# Of a callback that proves nothing: enough to see what somebody tried.
KEPT_OF_REFUSED = 512
# Such callbacks fill the event log: so many a minute are kept of one caller, and so many of all of them.
REFUSED_PERIOD = timedelta(minutes=1)
MAX_REFUSED, MAX_REFUSED_OF_ALL = 30, 300
# What helps to look into a dispute about a callback; cookies, credentials and the rest are not kept.
KEPT_HEADERS = ("Content-Type", "Content-Length", "User-Agent", "Stripe-Signature", "BTCPay-Sig", "Demo-Signature")
LONGEST_HEADER = 300
TRIES = 5


class Overtaken(Exception):
    """Something else was applied since the gateway began to answer: what it says now may be newer. Ask again."""


class Foreign(Exception):
    """The reference, the gateway's id and the gateway do not belong to one and the same top-up."""


def handle_callback(gateway: Gateway, *, headers: Mapping[str, str], body: bytes, address: str | None) -> int:
    """Read a callback, keep it, apply what it proves, and return what to answer.

    The answer is an HTTP status: TAKEN also for what is known or concerns nothing of ours, so that the gateway stops;
    REFUSED for what is not valid, TOO_OFTEN where its sender has sent much of that kind, and nothing is kept; TRY_AGAIN
    when the gateway had to be asked and did not answer. Who sends what is valid is never refused for what others sent.
    """
    for _try in range(TRIES):
        event = _event(gateway.name, headers, body, address)
        try:
            updates = understood(gateway.read_callback, headers, body)
        except InvalidCallback as refusal:
            return _refuse(event, body, str(refusal), now=timezone.now())
        except Unreachable as error:
            log.warning("callback_not_checked", gateway=gateway.name, error=str(error))
            event.body = _digest(body)  # it comes again, and may be about somebody else's payment
            _keep(event, Outcome.REFUSED, f"could not be checked: {error}")
            return TRY_AGAIN
        with suppress(Overtaken):
            answers = [_take(_event(gateway.name, headers, body, address), one) for one in updates]
            return max(answers, default=TAKEN)
    log.error("callback_kept_being_overtaken", gateway=gateway.name)
    return TRY_AGAIN


def apply_answer(top_up: TopUp, update: PaymentUpdate, *, now: datetime) -> bool:
    """Apply what a gateway answered to a question of ours, by the rules for callbacks; return whether it was news."""
    event = GatewayEvent(gateway=top_up.gateway, body=repr(update)[:2000])
    before = (top_up.status, top_up.received_micros, top_up.gateway_id)
    with suppress(Overtaken):  # it will be asked about again
        _take(event, update, now=now, keep_old_news=False)
    top_up.refresh_from_db()
    return before != (top_up.status, top_up.received_micros, top_up.gateway_id)


def _refuse(event: GatewayEvent, body: bytes, reason: str, *, now: datetime) -> int:
    """Keep a digest of what proves nothing, unless much of it has come; counted in the rows, so without Redis too."""
    lately = GatewayEvent.objects.filter(outcome=Outcome.REFUSED, created_at__gt=now - REFUSED_PERIOD).order_by()
    callers = [counted_as(address) for address in lately.values_list("address", flat=True)[:MAX_REFUSED_OF_ALL]]
    if len(callers) >= MAX_REFUSED_OF_ALL or callers.count(counted_as(event.address)) >= MAX_REFUSED:
        return TOO_OFTEN
    event.body = digest_of(body)
    _keep(event, Outcome.REFUSED, reason)
    return REFUSED


def digest_of(body: bytes) -> str:
    """Return what is kept of a callback that was refused: how long it was, its SHA-256, and how it began."""
    return f"{_digest(body)}\n{_text(body[:KEPT_OF_REFUSED])}"


def _digest(body: bytes) -> str:
    return f"{len(body)} bytes, SHA-256 {hashlib.sha256(body).hexdigest()}"


def _take(
    event: GatewayEvent, update: PaymentUpdate, *, now: datetime | None = None, keep_old_news: bool = True
) -> int:
    event.event_id, event.kind = update.event_id[:200], update.kind[:100]
    for _try in range(TRIES):
        try:
            with transaction.atomic():
                return _take_once(event, update, now or timezone.now(), keep_old_news)
        except ChangedMeanwhile:
            event.pk = None
        except Foreign as refusal:
            _keep(event, Outcome.REFUSED, f"foreign: {refusal}")
            return REFUSED
    log.error("callback_kept_changing", gateway=event.gateway, event_id=event.event_id)
    return TRY_AGAIN


def _take_once(event: GatewayEvent, update: PaymentUpdate, now: datetime, keep_old_news: bool) -> int:
    top_up = event.top_up = _named(event.gateway, update)
    if top_up is None:
        _keep_of_others(event)
    elif _is_known(event):
        _keep(event, Outcome.REPEATED)
    elif _is_overtaken(top_up, update):
        raise Overtaken(top_up.reference)
    elif update.state == State.NOTHING:
        if keep_old_news:
            _keep(event, Outcome.IGNORED, "says nothing that moves money")
    else:
        before = dict(top_up.__dict__)
        apply_payment_update(top_up, update, now=now)
        if keep_old_news or before != top_up.__dict__:
            _keep(event, Outcome.APPLIED)
    return TAKEN


def _named(gateway: str, update: PaymentUpdate) -> TopUp | None:
    """Return the one top-up that the reference and the gateway's id both fit, locked. Raises Foreign."""
    top_ups = TopUp.objects.select_for_update(of=("self",)).select_related("user")
    by_id = top_ups.called_at(gateway, update.gateway_id).first()
    by_reference = top_ups.called(update.reference).first()
    if by_id and update.reference and by_id != by_reference:
        raise Foreign("its reference is not that of the payment it names")
    if by_reference and by_reference.gateway != gateway:
        raise Foreign("the payment it names belongs to another gateway")
    if by_reference and update.gateway_id and by_reference.gateway_id not in ("", update.gateway_id):
        raise Foreign("the payment it names has another id at the gateway")
    return by_id or by_reference


def _is_known(event: GatewayEvent) -> bool:
    """Whether this event has been taken before; one that could not be checked then counts as new."""
    if not event.event_id:
        return False
    same = GatewayEvent.objects.filter(gateway=event.gateway, event_id=event.event_id)
    return same.filter(outcome__in=[Outcome.APPLIED, Outcome.IGNORED]).exists()


def _is_overtaken(top_up: TopUp, update: PaymentUpdate) -> bool:
    """Whether something was taken since the question began: it may be newer than this answer, which doesn't heed it.

    The top-up's row is locked, so nothing else is being taken.
    """
    return (
        update.after_event is not None
        and GatewayEvent.objects.taken_of(top_up).filter(pk__gt=update.after_event).exists()
    )


def _event(gateway: str, headers: Mapping[str, str], body: bytes, address: str | None) -> GatewayEvent:
    kept = {name: headers[name][:LONGEST_HEADER].replace("\x00", "") for name in KEPT_HEADERS if name in headers}
    return GatewayEvent(gateway=gateway, headers=kept, body=_text(body), address=address)


def _text(body: bytes) -> str:
    return body[:MAX_BYTES].decode(errors="replace").replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _keep_of_others(event: GatewayEvent) -> None:
    """Count what is about payments that are not ours, and forget what it says: it is of other people's customers."""
    event.event_id, event.headers, event.body = "", {}, _digest(event.body.encode())
    _keep(event, Outcome.IGNORED, "names no payment of ours")


def _keep(event: GatewayEvent, outcome: str, reason: str = "") -> None:
    event.outcome, event.reason = outcome, reason[:300]
    event.save(force_insert=True)
