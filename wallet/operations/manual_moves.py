"""Money moved by hand: at once up to a limit, above it only once a second person agrees.

The limit is on what one member of staff moves within a day to or from one wallet, not on each move, or it could be
passed in small pieces. Whoever moves money to or from their own wallet needs a second person for any amount.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Sum
from django.db.models.functions import Abs
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from wallet.models import LedgerEntry, MoneyRequest, Wallet
from wallet.operations.ledger import AlreadyBooked, InsufficientFunds, adjust, debit, wallet_of

Kind, State = MoneyRequest.Kind, MoneyRequest.State
# What a ledger row's reference begins with when a request moved the money; the request's own id follows.
BY_HAND = "request:"
COUNTED_TOGETHER = timedelta(hours=24)


class AlreadyDecided(Exception):
    """Somebody has approved or declined this request before; nothing has changed now. The text is for staff."""

    def __init__(self) -> None:
        super().__init__(_("A colleague has already decided on this request. Nothing was changed."))


class MayNotDecide(Exception):
    """Who asked for a move, or would get its money, cannot be its second person. The text is for staff."""

    def __init__(self) -> None:
        super().__init__(
            _("Somebody else has to decide: neither the person who requested it nor the owner of the wallet.")
        )


def move_by_hand(
    *,
    user: User,
    kind: str,
    amount_micros: int,
    note: str,
    actor: User,
    request_id: str,
    paid_how: str = "",
    now: datetime | None = None,
) -> MoneyRequest:
    """Adjust a wallet or withdraw from it by hand, or, where that is too much for one, ask a second person to agree.

    Too much is what comes, with all that `actor` moved alone for this wallet within a day, to more than
    ADJUST_APPROVAL_MICROS, and anything at all for one's own wallet.

    An adjustment takes when it is below zero; a withdrawal is above zero and says how the customer is paid. The request
    returned is done, or waits. `request_id` makes a double click ask once.

    Raises InsufficientFunds when the wallet does not hold what is to be taken, AlreadyBooked for a request id that came
    before, ValueError without a note, for an amount of zero, for a withdrawal of less or one that does not say how.
    """
    note, paid_how, now = note.strip(), paid_how.strip(), now or timezone.now()
    withdraws = kind == Kind.WITHDRAWAL
    if not note or amount_micros == 0 or (withdraws and (amount_micros < 0 or not paid_how)):
        raise ValueError(
            "a move by hand needs an amount and a note; a withdrawal is above zero and says how it is paid"
        )
    with transaction.atomic():
        needs_second = _needs_second(user, amount_micros, actor, now)
        request = MoneyRequest(
            user=user,
            kind=kind,
            amount_micros=amount_micros,
            paid_how=paid_how,
            note=note,
            request_id=request_id,
            needs_second=needs_second,
            state=State.WAITING if needs_second else State.DONE,
            asked_by=actor,
            created_at=now,
            decided_at=None if needs_second else now,
        )
        try:
            with transaction.atomic():
                request.save(force_insert=True)
        except IntegrityError as error:
            if "request_id" not in str(error):
                raise
            raise AlreadyBooked(request_id) from error
        if not needs_second:
            _book(request)
        elif amount_micros < 0 or withdraws:
            # For who asks: what the wallet holds when somebody approves it, the ledger makes sure of.
            missing_micros = abs(amount_micros) - wallet_of(user).balance_micros
            if missing_micros > 0:
                raise InsufficientFunds(missing_micros)
    return request


def _needs_second(user: User, amount_micros: int, actor: User, now: datetime) -> bool:
    """Whether this move is too much for one person; part of its transaction.

    Moves of one wallet queue here: of two at the same moment the second sees what the first one moved. An UPDATE that
    changes nothing makes them, for SQLite knows no locks of rows.
    """
    if user.pk == actor.pk:
        return True
    if not settings.ADJUST_APPROVAL_MICROS:
        return False
    Wallet.objects.filter(pk=wallet_of(user).pk).update(balance_micros=F("balance_micros"))
    alone = MoneyRequest.objects.filter(
        user=user, asked_by=actor, state=State.DONE, needs_second=False, created_at__gt=now - COUNTED_TOGETHER
    )
    moved_micros = alone.aggregate(sum=Sum(Abs("amount_micros")))["sum"] or 0
    return bool(moved_micros + abs(amount_micros) > settings.ADJUST_APPROVAL_MICROS)


def approve_request(request_pk: int, *, actor: User, now: datetime | None = None) -> LedgerEntry:
    """Move the money of a waiting request, as its second person; return the ledger row.

    Raises AlreadyDecided, MayNotDecide, InsufficientFunds when the wallet does not hold it any more: the request goes
    on waiting then.
    """
    with transaction.atomic():
        return _book(_decide(request_pk, State.DONE, actor, now))


def decline_request(request_pk: int, *, actor: User, now: datetime | None = None) -> MoneyRequest:
    """Turn a waiting request down, as its second person; no money moves. Raises AlreadyDecided, MayNotDecide."""
    return _decide(request_pk, State.DECLINED, actor, now)


def _decide(request_pk: int, state: str, actor: User, now: datetime | None) -> MoneyRequest:
    """Close a waiting request: of two who press at once, one gets a row."""
    request = MoneyRequest.objects.select_related("user", "asked_by").get(pk=request_pk)
    if actor.pk in (request.asked_by_id, request.user_id):
        raise MayNotDecide
    request.state, request.decided_by, request.decided_at = state, actor, now or timezone.now()
    waiting = MoneyRequest.objects.filter(pk=request_pk, state=State.WAITING)
    if not waiting.update(state=state, decided_by=actor, decided_at=request.decided_at):
        raise AlreadyDecided
    return request


def _book(request: MoneyRequest) -> LedgerEntry:
    """Write the ledger row of a request that is done; part of the caller's transaction."""
    reference = f"{BY_HAND}{request.request_id}"
    if request.kind == Kind.ADJUSTMENT:
        return adjust(
            user=request.user,
            amount_micros=request.amount_micros,
            note=request.note,
            actor=request.asked_by,
            reference=reference,
        )
    return debit(
        user=request.user,
        amount_micros=request.amount_micros,
        kind=LedgerEntry.Kind.WITHDRAWAL,
        note=f"{request.paid_how}: {request.note}"[:300],
        actor=request.asked_by,
        reference=reference,
    )
