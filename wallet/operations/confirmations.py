"""What staff says of payments: so much has come in, nothing has, or it is right as it is.

More than was asked for, or more than one person may credit within a day, is credited once a second person agrees
(`second_person`); and nobody says anything of their own payments, or those of a referral relation (`accounts.power`).
What is decided is what they looked at: a payment that has changed since, say by a chargeback, is left as it is.
"""

import hashlib
import uuid
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.power import refuse_own_money
from wallet.models import OPEN_TOP_UPS, MoneyRequest, TopUp
from wallet.operations.apply_payment_update import credit_for, settle
from wallet.operations.second_person import SubjectChanged, carries_out, is_too_much_for_one, write_request
from wallet.operations.top_ups import WrongStatus
from wallet.receipts import issue_receipt

Status = TopUp.Status
RIGHT = "wallet.change_topup"
# What a request is about when it confirms a payment; the payment's reference follows, as in the ledger.
ABOUT = "top_up:"


class PaymentChanged(WrongStatus):
    """The payment is no longer as it was when whoever decides looked at it. str() says so to them."""


def seen_of(top_up: TopUp) -> str:
    """Return what tells whether a payment is still as somebody saw it; pages pass it on to the decision."""
    figures = [
        getattr(top_up, f"{name}_micros") for name in ("received", "credited", "refunded", "disputed", "reversed")
    ]
    text = "|".join(map(str, (top_up.status, top_up.attention, top_up.note, *figures)))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def confirm_top_up(
    *, top_up: TopUp, received_micros: int, actor: User, seen: str | None = None, now: datetime | None = None
) -> MoneyRequest:
    """Staff has seen `received_micros` arrive in all: credit it less the fee, or what is more than was booked before.

    The request returned is done, or waits for a second person: then nothing has been credited. A gateway that speaks
    for itself is not overruled: its payments are confirmed only where they wait for staff. `seen` is what `seen_of`
    said when the actor looked, without it what `top_up` is. Raises PaymentChanged, WrongStatus, NotYourOwnMoney, or
    ValueError for no more than is booked already or than the fee takes.
    """
    now = now or timezone.now()
    with transaction.atomic():
        row = _locked_as_seen(top_up, seen)
        refuse_own_money(actor, row.user, permission=RIGHT)
        _check_waits_for_staff(row)
        about = f"{ABOUT}{row.reference}"
        if MoneyRequest.objects.filter(about=about, state=MoneyRequest.State.WAITING).exists():
            raise WrongStatus(_("A confirmation of this payment is already waiting for a second person."))
        if received_micros <= max(row.received_micros, row.fee_micros):
            raise ValueError(received_micros)
        credited_micros = credit_for(row, received_micros)
        request = MoneyRequest(
            user=row.user,
            kind=MoneyRequest.Kind.PAYMENT,
            amount_micros=credited_micros,
            received_micros=received_micros,
            about=about,
            note=_("Payment %(reference)s") % {"reference": row.reference},
            request_id=str(uuid.uuid4()),
            asked_by=actor,
        )
        waits = received_micros > row.pay_micros or is_too_much_for_one(actor, credited_micros, now)
        write_request(request, waits=waits, now=now)
        if not waits:
            _credit(row, request, now)
    return request


def carry_out_confirmation(request: MoneyRequest, *, now: datetime) -> None:
    """Credit what a second person has agreed on; part of the transaction that closes the request.

    Raises SubjectChanged when the same confirmation would credit another amount by now.
    """
    row = _locked(request.about.removeprefix(ABOUT))
    try:
        _check_waits_for_staff(row)
    except WrongStatus as error:
        raise SubjectChanged from error
    if row.received_micros >= request.received_micros or credit_for(row, request.received_micros) != (
        request.amount_micros
    ):
        raise SubjectChanged
    _credit(row, request, now)


def decline_top_up(*, top_up: TopUp, actor: User, seen: str | None = None) -> None:
    """Staff has found that nothing came in. `seen` as for `confirm_top_up`.

    Raises PaymentChanged, NotYourOwnMoney, WrongStatus when something has been booked.
    """
    with transaction.atomic():
        row = _locked_as_seen(top_up, seen)
        refuse_own_money(actor, row.user, permission=RIGHT)
        if row.received_micros or row.status not in (*OPEN_TOP_UPS, Status.REVIEW):
            raise WrongStatus(_("This payment can no longer be declined."))
        declined = {"status": Status.DECLINED, "attention": "", "confirmed_by": actor, "next_check_at": None}
        TopUp.objects.filter(pk=row.pk).update(**declined)


def close_review(*, top_up: TopUp, actor: User, seen: str | None = None) -> None:
    """Staff has looked and leaves what is booked as it is. `seen` as for `confirm_top_up`.

    A payment that the fee took whole stays in review: it is not paid as long as nothing was credited. Raises
    PaymentChanged, NotYourOwnMoney, WrongStatus when there was nothing to look at.
    """
    with transaction.atomic():
        row = _locked_as_seen(top_up, seen)
        refuse_own_money(actor, row.user, permission=RIGHT)
        if not row.received_micros or not row.attention:
            raise WrongStatus(_("There is nothing to close."))
        is_paid_now = row.status == Status.REVIEW and row.credited_micros > 0
        status = Status.PAID if is_paid_now else row.status
        TopUp.objects.filter(pk=row.pk).update(status=status, attention="", confirmed_by=actor)
        if is_paid_now:
            issue_receipt(_locked(row.reference), now=timezone.now())


def _locked_as_seen(top_up: TopUp, seen: str | None) -> TopUp:
    """Return the payment, from now on ours alone; callbacks wait. Raises PaymentChanged."""
    row = _locked(top_up.reference)
    if seen_of(row) != (seen or seen_of(top_up)):
        raise PaymentChanged(_("This payment has changed since you looked at it. Nothing has been done: look again."))
    return row


def _check_waits_for_staff(top_up: TopUp) -> None:
    unpaid = top_up.gateway == "manual" and top_up.status in (*OPEN_TOP_UPS, Status.EXPIRED, Status.DECLINED)
    if not unpaid and top_up.status != Status.REVIEW:
        raise WrongStatus(_("This payment is not waiting for confirmation."))


def _credit(top_up: TopUp, request: MoneyRequest, now: datetime) -> None:
    changes = {
        "received_micros": request.received_micros,
        "paid_at": top_up.paid_at or now,
        "status": Status.PAID,
        "attention": "",
        "confirmed_by": request.asked_by,
    }
    settle(top_up, changes, now=now, actor=request.asked_by)


def _locked(reference: str) -> TopUp:
    return TopUp.objects.select_for_update(of=("self",)).select_related("user").get(reference=reference)


carries_out(MoneyRequest.Kind.PAYMENT, carry_out_confirmation)
