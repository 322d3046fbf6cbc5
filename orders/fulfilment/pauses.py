"""Stopping and resuming the whole shop's forwarding, when upstream refuses the shop itself."""

from datetime import datetime, timedelta
from enum import Enum

import structlog
from django.db import IntegrityError, transaction
from django.db.models import Exists, F, Q

from accounts.models import User
from orders.fulfilment.solvency import keep_balance
from orders.lifecycle.supply import is_foreign
from orders.models import ForwardingPause, Order, Status, UpstreamBalance, UpstreamEntry
from orders.notices.admin_notices import tell_of_pause, tell_of_resumption
from upstream.client import Client
from upstream.errors import InvalidApiKey, Unavailable
from upstream.money import micros_from_decimal, text_from_micros

log = structlog.get_logger(__name__)
CURRENCY_MAY_RETURN = timedelta(days=1)  # by itself once; not back and forth
Reason = ForwardingPause.Reason

BY_UPSTREAM = (Reason.KEY, Reason.BALANCE)
_MATTERS = Q(ended_at=None) | Q(proved_at=None, reason__in=BY_UPSTREAM)
# For a claim's own statement, in Django's words and in SQL.
GATE_IS_OPEN = ~Exists(ForwardingPause.objects.filter(_MATTERS))
GATE_IS_OPEN_SQL = f"""NOT EXISTS (
    SELECT 1 FROM {ForwardingPause._meta.db_table}
    WHERE ended_at IS NULL OR (proved_at IS NULL AND reason IN ('{Reason.KEY}', '{Reason.BALANCE}'))
)"""  # noqa: S608 - our own words
PROBE_AGAIN_SECONDS, LONGEST_PROBE_WAIT_SECONDS = 60, 3600


class Gate(Enum):
    """Whether paid orders go out: all of them, one at a time until one is accepted after a pause, or none."""

    OPEN = "open"
    PROBING = "probing"
    CLOSED = "closed"


def gate() -> Gate:
    """Return how forwarding stands now."""
    ends = list(ForwardingPause.objects.filter(_MATTERS).values_list("ended_at", flat=True))
    if None in ends:
        return Gate.CLOSED
    return Gate.PROBING if ends else Gate.OPEN


def forwarding_is_paused() -> bool:
    """Whether any reason keeps paid orders waiting."""
    return ForwardingPause.objects.filter(ended_at=None).exists()


def pause_forwarding(*, reason: str, detail: str = "", now: datetime) -> ForwardingPause:
    """Pause forwarding for this reason; paid orders keep their places. While such a pause is open, return that one."""
    try:
        with transaction.atomic():
            pause = ForwardingPause.objects.create(reason=reason, detail=detail[:300], started_at=now)
            tell_of_pause(pause, now=now)
    except IntegrityError:
        # The one that was open may have ended since; it is returned all the same, for it began for the same reason.
        return ForwardingPause.objects.filter(reason=reason).latest("id")
    log.warning("forwarding_paused", reason=reason, detail=detail)
    return pause


def end_pause(pause_id: int, *, now: datetime, actor: User | None = None) -> bool:
    """End one pause; return whether it was still open."""
    with transaction.atomic():
        if not ForwardingPause.objects.filter(pk=pause_id, ended_at=None).update(ended_at=now, ended_by=actor):
            return False
        tell_of_resumption(ForwardingPause.objects.get(pk=pause_id), now=now)
    log.warning("forwarding_resumed", pause_id=pause_id, actor=actor.pk if actor else None)
    return True


def pause_for_currency(currency: str, *, of_balance: bool, now: datetime) -> None:
    """Pause forwarding because upstream counts in another currency: every price and cost of ours would be wrong.

    Staff who ended such a pause knew of this currency. In orders' statuses it does not begin another one; in the
    balance it does once the right one has been seen there since.
    """
    latest = ForwardingPause.objects.filter(reason=Reason.CURRENCY).order_by("-id").first()
    if latest is not None and latest.ended_at is None:
        return
    by_staff = latest is not None and latest.detail == currency and latest.ended_by_id is not None
    # Balances in a foreign currency are not kept: one that is says that the right one was seen since.
    seen_since = of_balance and latest and UpstreamBalance.objects.filter(asked_at__gt=latest.ended_at).exists()
    if by_staff and not seen_since:
        return
    pause_forwarding(reason=Reason.CURRENCY, detail=currency, now=now)


def look_at_account(*, client: Client, now: datetime) -> int | None:
    """Ask for the upstream balance and keep it; return it in micros, None when it is in a foreign currency.

    A foreign currency pauses forwarding; the right one ends such a pause, unless one has ended like that within a day:
    where statuses and balance differ for good, a human decides. Raises the client's read errors.
    """
    balance = client.balance()
    if is_foreign(balance.currency):
        pause_for_currency(balance.currency, of_balance=True, now=now)
        return None
    if balance.currency:
        pauses = ForwardingPause.objects.filter(reason=Reason.CURRENCY)
        pause, again = pauses.filter(ended_at=None).first(), Q(ended_by=None, ended_at__gt=now - CURRENCY_MAY_RETURN)
        if pause is not None and not pauses.filter(again).exists():
            end_pause(pause.pk, now=now)
    return keep_balance(balance, now=now)


def resume_forwarding(*, client: Client, now: datetime) -> list[str]:
    """End the pauses whose reason is gone, by asking for the upstream balance; return the reasons that ended.

    A pause for a wrong key ends when the key is accepted; one for lack of money ends when the balance covers the first
    order in the queue; the admin's own pause ends only by the admin. Neither proves that upstream will accept an order,
    so one order goes first then; each time it is refused again, the next try waits longer, unless money came in.
    Raises the client's read errors, InvalidApiKey excepted.
    """
    pauses = {pause.reason: pause for pause in ForwardingPause.objects.filter(ended_at=None)}
    if not pauses.keys() & {*BY_UPSTREAM, Reason.CURRENCY}:
        return []
    try:
        balance_micros = look_at_account(client=client, now=now)
    except InvalidApiKey:
        pause_forwarding(reason=Reason.KEY, detail="Invalid API key", now=now)
        return []
    if balance_micros is None:
        return []
    over = Reason.CURRENCY in pauses and not ForwardingPause.objects.filter(reason=Reason.CURRENCY, ended_at=None)
    ended: list[str] = [Reason.CURRENCY] if over else []
    for reason in BY_UPSTREAM:
        pause = pauses.get(reason)
        covered = reason == Reason.KEY or balance_micros >= _next_cost_micros(now)
        if pause and covered and _may_probe(pause, balance_micros, now) and end_pause(pause.pk, now=now):
            ended.append(reason)
    return ended


def _may_probe(pause: ForwardingPause, balance_micros: int, now: datetime) -> bool:
    """Whether another order may be tried: at once the first time, then after growing waits, or when money came in."""
    refused = ForwardingPause.objects.filter(reason=pause.reason, proved_at=None).exclude(ended_at=None).count()
    if not refused:
        return True
    wait = min(PROBE_AGAIN_SECONDS * 2 ** min(refused - 1, 10), LONGEST_PROBE_WAIT_SECONDS)
    if now >= pause.started_at + timedelta(seconds=wait):
        return True
    seen = UpstreamBalance.objects.filter(asked_at__gte=pause.started_at)
    before = UpstreamBalance.objects.filter(asked_at__lt=pause.started_at).order_by("-asked_at").first()
    minimum = [row.amount_upstream_micros for row in [*seen, *([before] if before else [])]]
    return pause.reason == Reason.BALANCE and bool(minimum) and min(minimum) < balance_micros


def take_probe_turn(order_id: int, *, now: datetime) -> bool:
    """Return whether this order is the one that is tried after a pause: the first in the queue, while none is out.

    Call it inside the claim's transaction: the ended pauses are locked by a write until that has committed.
    """
    unproved = ForwardingPause.objects.filter(proved_at=None, reason__in=BY_UPSTREAM).exclude(ended_at=None)
    if not unproved.update(detail=F("detail")):
        return True  # an order has been accepted meanwhile
    if forwarding_is_paused() or Order.objects.filter(status=Status.SENDING).exists():
        return False
    return Order.objects.waiting_to_send(now).values_list("pk", flat=True).first() == order_id


def end_probing(order_id: int, *, now: datetime) -> None:
    """Let all orders go out again if this one, sent after the pause, has been accepted."""
    accepted = Order.objects.filter(pk=order_id, upstream_id__isnull=False).values_list("sent_at", flat=True).first()
    if accepted is None:
        return
    unproved = ForwardingPause.objects.filter(proved_at=None, reason__in=BY_UPSTREAM, ended_at__lte=accepted)
    if unproved.update(proved_at=now):
        log.warning("forwarding_proved", order_id=order_id)


def _next_cost_micros(now: datetime) -> int:
    first = Order.objects.waiting_to_send(now).values_list("cost_upstream_micros", flat=True).first()
    return first or 1


def ensure_opening_balance(*, client: Client) -> None:
    """Note what is on the upstream account before the first order is sent, so that the books have a beginning.

    Raises the client's read errors; forwarding waits then, as it would have failed anyway.
    """
    if UpstreamEntry.objects.filter(kind=UpstreamEntry.Kind.OPENING).exists():
        return
    balance = client.balance()
    if is_foreign(balance.currency):
        raise Unavailable(f"upstream's balance is in {balance.currency}")
    try:
        with transaction.atomic():
            UpstreamEntry.objects.create(
                kind=UpstreamEntry.Kind.OPENING,
                amount_upstream_micros=micros_from_decimal(balance.balance),
                note=f"{text_from_micros(micros_from_decimal(balance.balance))} {balance.currency}",
            )
    except IntegrityError:
        pass  # another worker noted it a moment ago
