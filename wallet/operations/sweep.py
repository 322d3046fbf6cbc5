"""Asking gateways about payments that never called back: less and less often, until nobody can pay them any more."""

from datetime import datetime, timedelta

import structlog
from django.utils import timezone
from django.utils.translation import gettext as _

from wallet.gateways import Unreachable, find_gateway, understood
from wallet.models import TopUp
from wallet.operations.callbacks import apply_answer

log = structlog.get_logger(__name__)
Status = TopUp.Status

FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=6)
# For so long after it expired a payment is still asked about: money may be on its way.
GRACE = timedelta(days=2)
# A payment that its gateway has been confirming for so long is for a human.
TOO_LONG = timedelta(days=30)
BATCH = 100


def check_top_ups(*, now: datetime | None = None) -> int:
    """Ask about every payment that is due, and return how many had news. One whose gateway is silent waits its turn."""
    now = now or timezone.now()
    due = list(TopUp.objects.to_ask_about(now)[:BATCH])
    return sum(check_top_up(top_up, now=now) for top_up in due)


def check_top_up(top_up: TopUp, *, now: datetime | None = None) -> bool:
    """Ask the gateway how this payment stands, unless somebody else is asking; return whether there was news."""
    now = now or timezone.now()
    wait = min(FIRST_WAIT * 2 ** min(top_up.checks, 20), LONGEST_WAIT)
    mine = TopUp.objects.filter(pk=top_up.pk, next_check_at=top_up.next_check_at, checks=top_up.checks)
    if not mine.update(next_check_at=now + wait, checks=top_up.checks + 1):
        return False
    gateway = find_gateway(top_up.gateway)
    if gateway is None:
        log.warning("gateway_switched_off", gateway=top_up.gateway, reference=top_up.reference)
        return _give_up(top_up, now)
    try:
        update = understood(gateway.ask, top_up)
    except Unreachable as error:
        log.warning("payment_not_checked", gateway=top_up.gateway, reference=top_up.reference, error=str(error))
        return False
    return apply_answer(top_up, update, now=now) or _give_up(top_up, now)


def _give_up(top_up: TopUp, now: datetime) -> bool:
    """Stop asking when it has become pointless; return whether the payment changed."""
    if top_up.status == Status.PENDING:
        stuck = TopUp.objects.filter(pk=top_up.pk, status=Status.PENDING, created_at__lte=now - TOO_LONG)
        text = _("The gateway has been confirming this payment for a month.")
        return bool(stuck.update(status=Status.REVIEW, attention=text, next_check_at=None))
    over = TopUp.objects.filter(pk=top_up.pk, expires_at__lte=now)
    expired = over.filter(status=Status.CREATED).update(status=Status.EXPIRED)
    over.filter(status=Status.EXPIRED, expires_at__lte=now - GRACE).update(next_check_at=None)
    return bool(expired)
