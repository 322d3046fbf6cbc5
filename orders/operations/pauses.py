"""Stopping and resuming the whole shop's forwarding, when upstream refuses the shop itself."""

from datetime import datetime

import structlog
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from orders.models import ForwardingPause, Order, UpstreamEntry
from upstream.client import Client
from upstream.errors import InvalidApiKey
from upstream.money import micros_from_decimal, text_from_micros

log = structlog.get_logger(__name__)
Reason = ForwardingPause.Reason


def forwarding_is_paused() -> bool:
    """Whether any reason keeps paid orders waiting."""
    return ForwardingPause.objects.filter(ended_at=None).exists()


def pause_forwarding(*, reason: str, detail: str = "", now: datetime | None = None) -> ForwardingPause:
    """Pause forwarding for this reason; paid orders keep their places. While such a pause is open, return that one."""
    try:
        with transaction.atomic():
            pause = ForwardingPause.objects.create(reason=reason, detail=detail[:300], started_at=now or timezone.now())
    except IntegrityError:
        # The one that was open may have ended since; it is returned all the same, for it began for the same reason.
        return ForwardingPause.objects.filter(reason=reason).latest("id")
    if reason != Reason.ADMIN:
        log.error("forwarding_paused", reason=reason, detail=detail)  # ERROR is mailed to the admins
    return pause


def end_pause(pause_id: int, *, now: datetime | None = None, actor: User | None = None) -> bool:
    """End one pause; return whether it was still open."""
    ended = ForwardingPause.objects.filter(pk=pause_id, ended_at=None).update(ended_at=now or timezone.now())
    if ended:
        log.warning("forwarding_resumed", pause_id=pause_id, actor=actor.pk if actor else None)
    return bool(ended)


def resume_forwarding(*, client: Client, now: datetime | None = None) -> list[str]:
    """End the pauses whose reason is gone, by asking for the upstream balance; return the reasons that ended.

    A pause for a wrong key ends when the key is accepted; one for lack of money ends when the balance covers the first
    order in the queue; the admin's own pause ends only by the admin.
    Raises the client's read errors, InvalidApiKey excepted.
    """
    now = now or timezone.now()
    pauses = {pause.reason: pause for pause in ForwardingPause.objects.filter(ended_at=None)}
    if not {Reason.KEY, Reason.BALANCE} & pauses.keys():
        return []
    try:
        balance_micros = micros_from_decimal(client.balance().balance)
    except InvalidApiKey:
        pause_forwarding(reason=Reason.KEY, detail="Invalid API key", now=now)
        return []
    ended: list[str] = []
    if Reason.KEY in pauses and end_pause(pauses[Reason.KEY].pk, now=now):
        ended.append(Reason.KEY)
    covered = Reason.BALANCE in pauses and balance_micros >= _next_cost_micros(now)
    if covered and end_pause(pauses[Reason.BALANCE].pk, now=now):
        ended.append(Reason.BALANCE)
    return ended


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
    try:
        with transaction.atomic():
            UpstreamEntry.objects.create(
                kind=UpstreamEntry.Kind.OPENING,
                amount_upstream_micros=micros_from_decimal(balance.balance),
                note=f"{text_from_micros(micros_from_decimal(balance.balance))} {balance.currency}",
            )
    except IntegrityError:
        pass  # another worker noted it a moment ago
