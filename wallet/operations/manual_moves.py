"""Money moved by hand: at once up to a limit, above it only once a second person agrees (`second_person`).

Nobody moves money to or from their own wallet or that of a referral relation, nor agrees to it (`accounts.power`).
"""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.power import in_the_same_hands, may_move_money_of, refuse_own_money, staff_for_money_of, these_people_can
from wallet.models import LedgerEntry, MoneyRequest
from wallet.operations.ledger import InsufficientFunds, adjust, debit, wallet_of
from wallet.operations.second_person import SubjectChanged, carries_out, carry_out, is_too_much_for_one, write_request

Kind, State = MoneyRequest.Kind, MoneyRequest.State
# What a ledger row's reference begins with when a request moved the money; the request's own id follows.
BY_HAND = "request:"
RIGHT, RIGHT_TO_DECIDE = "wallet.change_wallet", "wallet.change_moneyrequest"


class AlreadyDecided(Exception):
    """Somebody has approved or declined this request before; nothing has changed now. The text is for staff."""

    def __init__(self) -> None:
        super().__init__(_("A colleague has already decided on this request. Nothing was changed."))


class MayNotDecide(Exception):
    """Who asked for a move, or would get its money, or is tied to one of them, cannot be its second person.

    The text is for staff and says who can.
    """

    def __init__(self, request: MoneyRequest, *, in_the_same_hands: bool = False) -> None:
        if in_the_same_hands:
            text = _(
                "Somebody else has to decide: within a week, one of you and the person who requested it took the other "
                "on or changed their rights, address or factors, or somebody did that with both of you."
            )
        else:
            text = _(
                "Somebody else has to decide: neither the person who requested it, nor the owner of the wallet, nor "
                "anybody tied to one of them by a referral."
            )
        super().__init__(f"{text} {who_can_decide(request)}")


class AskedForOneself(SubjectChanged):
    """Who asked for a move would get its money, or is tied to who would: older versions let them ask."""

    def __init__(self) -> None:
        Exception.__init__(
            self,
            _("Whoever requested this would get the money, or is tied to the customer by a referral. Decline it."),
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

    Too much is what comes, with all that `actor` moved alone within a day, to more than ADJUST_APPROVAL_MICROS.

    An adjustment takes when it is below zero; a withdrawal is above zero and says how the customer is paid. The request
    returned is done, or waits. `request_id` makes a double click ask once.

    Raises NotYourOwnMoney, InsufficientFunds when the wallet does not hold what is to be taken, AlreadyBooked for a
    request id that came before, ValueError without a note, for an amount of zero, for a withdrawal of less or one that
    does not say how.
    """
    note, paid_how, now = note.strip(), paid_how.strip(), now or timezone.now()
    withdraws = kind == Kind.WITHDRAWAL
    if not note or amount_micros == 0 or (withdraws and (amount_micros < 0 or not paid_how)):
        raise ValueError(
            "a move by hand needs an amount and a note; a withdrawal is above zero and says how it is paid"
        )
    refuse_own_money(actor, user, permission=RIGHT)
    request = MoneyRequest(
        user=user,
        kind=kind,
        amount_micros=amount_micros,
        paid_how=paid_how,
        note=note,
        request_id=request_id,
        asked_by=actor,
    )
    with transaction.atomic():
        waits = is_too_much_for_one(actor, amount_micros, now)
        write_request(request, waits=waits, now=now)
        if not waits:
            _book(request, now=now)
        elif amount_micros < 0 or withdraws:
            # For who asks: what the wallet holds when somebody approves it, the ledger makes sure of.
            missing_micros = abs(amount_micros) - wallet_of(user).balance_micros
            if missing_micros > 0:
                raise InsufficientFunds(missing_micros)
    return request


def approve_request(request_pk: int, *, actor: User, now: datetime | None = None) -> MoneyRequest:
    """Move the money of a waiting request, as its second person.

    Raises AlreadyDecided, MayNotDecide; InsufficientFunds when the wallet does not hold it any more, SubjectChanged
    when the payment or order is not as it was: the request goes on waiting then.
    """
    now = now or timezone.now()
    with transaction.atomic():
        request = _decide(request_pk, State.DONE, actor, now)
        if not may_move_money_of(request.asked_by, request.user):
            raise AskedForOneself
        carry_out(request, now=now)
    return request


def decline_request(request_pk: int, *, actor: User, now: datetime | None = None) -> MoneyRequest:
    """Turn a waiting request down, as its second person; no money moves. Raises AlreadyDecided, MayNotDecide."""
    return _decide(request_pk, State.DECLINED, actor, now or timezone.now())


def may_decide(request: MoneyRequest, actor: User, *, now: datetime | None = None) -> bool:
    """Return whether `actor` could be the second person of a request, rights aside."""
    now = now or timezone.now()
    return _is_untied(request, actor) and actor.pk not in in_the_same_hands(request.asked_by, now=now)


def _is_untied(request: MoneyRequest, actor: User) -> bool:
    return may_move_money_of(actor, request.user) and may_move_money_of(actor, request.asked_by)


def who_can_decide(request: MoneyRequest) -> str:
    """Return a sentence for staff: who can be the second person of a request, or that nobody can so far."""
    unrelated_to_who_asked = staff_for_money_of(request.asked_by, RIGHT_TO_DECIDE)
    people = staff_for_money_of(request.user, RIGHT_TO_DECIDE).filter(pk__in=unrelated_to_who_asked.values("pk"))
    return these_people_can(people.exclude(pk__in=in_the_same_hands(request.asked_by, now=timezone.now())))


def _decide(request_pk: int, state: str, actor: User, now: datetime) -> MoneyRequest:
    """Close a waiting request: of two who press at once, one gets a row."""
    request = MoneyRequest.objects.select_related("user", "asked_by").get(pk=request_pk)
    if not may_decide(request, actor, now=now):
        raise MayNotDecide(request, in_the_same_hands=_is_untied(request, actor))
    request.state, request.decided_by, request.decided_at = state, actor, now
    waiting = MoneyRequest.objects.filter(pk=request_pk, state=State.WAITING)
    if not waiting.update(state=state, decided_by=actor, decided_at=request.decided_at):
        raise AlreadyDecided
    return request


def _book(request: MoneyRequest, *, now: datetime) -> None:
    """Write the ledger row of a request that is done; part of the caller's transaction."""
    reference = f"{BY_HAND}{request.request_id}"
    if request.kind == Kind.ADJUSTMENT:
        adjust(
            user=request.user,
            amount_micros=request.amount_micros,
            note=request.note,
            actor=request.asked_by,
            reference=reference,
        )
        return
    debit(
        user=request.user,
        amount_micros=request.amount_micros,
        kind=LedgerEntry.Kind.WITHDRAWAL,
        note=f"{request.paid_how}: {request.note}"[:300],
        actor=request.asked_by,
        reference=reference,
    )


for kind in (Kind.ADJUSTMENT, Kind.WITHDRAWAL):
    carries_out(kind, _book)
