"""What one member of staff may move alone within a day, and the request that waits for a second one where it is more.

The limit is on what a person moves, over all wallets, all kinds of acts and both directions: a limit on each move, or
on each wallet, could be passed in small pieces. What two have agreed on counts for neither of them.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.db.models.functions import Abs
from django.utils.translation import gettext as _

from accounts.models import User
from wallet.models import MoneyRequest
from wallet.operations.ledger import AlreadyBooked

State = MoneyRequest.State
COUNTED_TOGETHER = timedelta(hours=24)
# What does the work of a request, by its kind; part of the transaction that closes the request.
CarryOut = Callable[..., None]
_carried_out: dict[str, CarryOut] = {}


class SubjectChanged(Exception):
    """What was asked for does not fit the payment or order any more; nothing has changed. The text is for staff."""

    def __init__(self) -> None:
        super().__init__(
            _("What this request is about has changed since. Decline it; whoever asked can look at it again.")
        )


def carries_out(kind: str, do: CarryOut) -> None:
    """Let `do(request, now=...)` carry out the requests of a kind that a second person approves.

    It raises SubjectChanged where the request does not fit any more.
    """
    _carried_out[kind] = do


def carry_out(request: MoneyRequest, *, now: datetime) -> None:
    """Do what a request asks for; part of the transaction that closes it. Raises what its kind raises."""
    _carried_out[request.kind](request, now=now)


def moved_alone(staff: User, now: datetime) -> int:
    """Return the micros that this person has moved within a day with nobody's consent, in and out added up."""
    alone = MoneyRequest.objects.filter(
        asked_by=staff, state=State.DONE, needs_second=False, created_at__gt=now - COUNTED_TOGETHER
    )
    return alone.aggregate(sum=Sum(Abs("amount_micros")))["sum"] or 0


def is_too_much_for_one(staff: User, amount_micros: int, now: datetime) -> bool:
    """Return whether `amount_micros` more would be above ADJUST_APPROVAL_MICROS; part of the move's transaction.

    The acts of one person queue here until that transaction ends: of two at the same moment the second sees what the
    first one moved. With a limit of 0 nothing is too much.
    """
    if not settings.ADJUST_APPROVAL_MICROS:
        return False
    # On SQLite a transaction waits for every other one anyway. Rows that only name this person wait for nobody.
    User.objects.select_for_update(no_key=True).only("pk").get(pk=staff.pk)
    return moved_alone(staff, now) + abs(amount_micros) > settings.ADJUST_APPROVAL_MICROS


def write_request(request: MoneyRequest, *, waits: bool, now: datetime) -> None:
    """Save a new request as done, or as waiting for a second person; part of the move's transaction.

    Raises AlreadyBooked for a request id that came before; ValueError, whose text is for staff, when somebody else has
    asked for this at the same moment.
    """
    request.needs_second = waits
    request.state = State.WAITING if waits else State.DONE
    request.created_at, request.decided_at = now, None if waits else now
    try:
        with transaction.atomic():
            request.save(force_insert=True)
    except IntegrityError as error:
        if "request_id" in str(error):
            raise AlreadyBooked(request.request_id) from error
        if "about" in str(error):  # one_request_waits_about_it
            raise ValueError(_("Somebody else has just requested this: it waits for a second person.")) from error
        raise
