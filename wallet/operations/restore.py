"""After a restore from backup: receipts never repeat a number, and gateways are asked about what was paid since."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max, Q

from wallet.gateways import PaymentUpdate, Unreachable, enabled_gateways, understood
from wallet.gateways.base import State
from wallet.models import OPEN_TOP_UPS, Receipt, ReceiptGap, TopUp

# Numbers that may stand on receipts which were lost: a day's of a large shop, and one for each ten seconds.
RECEIPTS_SKIPPED, SECONDS_A_RECEIPT = 10_000, 10
# A payment that was under way at the backup may have been paid long after it expired there.
LOOK_BACK = timedelta(days=30)
EARLIER = timedelta(hours=1)  # begun before the backup by a clock that is not ours


@dataclass(frozen=True)
class UnknownPayment:
    """A payment that a gateway has and no top-up of ours stands for: it was begun after the backup."""

    gateway: str
    payment_id: str
    reference: str
    amount_micros: int
    currency: str


@dataclass(frozen=True)
class NotAsked:
    """A gateway that could not say what was paid since; `why` is for people."""

    gateway: str
    why: str


def skip_receipt_numbers(
    *, known_until: datetime | None, begun_at: datetime | None, now: datetime
) -> ReceiptGap | None:
    """Leave out the numbers that lost receipts may have, and note that; None where the shop has never been used.

    `known_until` is when the backup was taken, `begun_at` when this restore began where it is gone on with: what was
    left out then is not left out again. A gap of an earlier restore is no reason to leave out nothing: receipts may
    have been issued beyond it, and lost.
    """
    if known_until is None:
        return None
    count = RECEIPTS_SKIPPED + int(max((now - known_until).total_seconds(), 0) / SECONDS_A_RECEIPT)
    noted = ReceiptGap.objects.filter(created_at__gte=begun_at).first() if begun_at else None
    if noted is not None:
        return noted
    highest = Receipt.objects.aggregate(number=Max("number"))["number"] or 0
    skipped = ReceiptGap.objects.aggregate(last=Max("last"))["last"] or 0
    first = max(highest, skipped) + 1
    return ReceiptGap.objects.create(first=first, last=first + count - 1, created_at=now)


def ask_all_again(*, now: datetime) -> int:
    """Have the sweep ask at once about every payment that was not settled at the backup; return how many."""
    unsettled = Q(status__in=OPEN_TOP_UPS) | Q(status=TopUp.Status.EXPIRED, created_at__gt=now - LOOK_BACK)
    # Transfers are confirmed by hand: nobody can be asked about them.
    rows = TopUp.objects.filter(unsettled).exclude(gateway="manual")
    return rows.update(next_check_at=now, checks=0)


def payments_unknown_here(since: datetime) -> Iterator[UnknownPayment | NotAsked]:
    """Ask every gateway what was paid since a moment, and yield what no top-up of ours stands for.

    Who paid it, only the gateway knows; nothing is credited by itself.
    """
    for gateway in enabled_gateways().values():
        if not gateway.can_list:
            yield NotAsked(gateway.name, "it has no list of payments that could be asked for")
            continue
        try:
            paid: list[PaymentUpdate] = understood(gateway.paid_since, since - EARLIER)
        except Unreachable as error:
            yield NotAsked(gateway.name, str(error))
            continue
        for update in paid:
            if update.state == State.PAID and not gateway.knows(update.gateway_id, update.reference):
                yield UnknownPayment(
                    gateway.name, update.gateway_id, update.reference, update.amount_micros, update.currency
                )
