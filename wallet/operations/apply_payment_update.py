"""What becomes of a top-up when there is news of it. One function for callbacks, polls, sweeps and staff.

What arrives is compared with the one top-up it names. The rules:

    paid in full    The amount and the bonus are credited: status PAID.
    underpaid       What was received less the fee is credited, never more, and no bonus: REVIEW.
    too late        Paid after the account was deleted: nothing is credited, staff pays it back or out: REVIEW.
    denied payer    Paid by somebody on the deny list: nothing is credited, a human refunds or confirms it: REVIEW.
                    Refunded at the gateway, it says so, and a human declines it.
    overpaid        All that was received less the fee is credited, and the bonus that was promised: PAID, with a note.
    late            Paid after it expired or was canceled: credited like any other, it is the customer's money.
    paid in parts   The first sum is credited. A larger one later waits for staff, who confirms the whole: REVIEW.
    wrong currency  Nothing is credited: REVIEW.
    declined        Open becomes DECLINED. Paid after all, it is credited. Declined after it was paid, a human looks.
    expired         Open becomes EXPIRED.
    refunded        By the gateway, in part or whole: the same share of what was credited (bonus included, rounded up)
                    is taken back. In whole: REFUNDED; in part: a note.
    disputed        The same for the share in dispute: DISPUTED, and a human looks.
    one of several  Where a gateway told of some refunds only, what is known of the others stays.
    refund failed   What a gateway that was asked says counts, be it less than before: the rest is returned.
    dispute won     What was taken back is returned.
    warned          Nothing moves: a note, and a human looks.
    out of order    Received, refunded and disputed are kept apart, and what should have been credited and taken back
                    follows from the three: their order does not matter, and nothing is counted twice.

The credit's reference in the ledger is `top_up:REFERENCE`, unique in the wallet: a second one is impossible whatever
goes wrong here. Every change is a guarded UPDATE of the values it was decided upon, in one transaction with its ledger.
"""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from accounts.deny_list.checks import Place, denied_payer, record_hit
from accounts.models import DELETED_DOMAIN, User
from upstream.money import text_from_micros
from wallet.gateways import PaymentUpdate, State
from wallet.models import OPEN_TOP_UPS, LedgerEntry, TopUp, can_be_held
from wallet.operations.ledger import credit
from wallet.operations.reversals import give_back, take_back
from wallet.receipts import issue_receipt

Status = TopUp.Status
Changes = dict[str, Any]


UNNAMED = ""  # among the shares of refunds: what was refunded before these were kept


class ChangedMeanwhile(Exception):
    """Somebody else changed the top-up between reading and writing; nothing has changed, look again."""


def apply_payment_update(top_up: TopUp, update: PaymentUpdate, *, now: datetime) -> None:
    """Apply what a gateway said of this top-up; `top_up` was read in the transaction around this, and shows the result.

    Raises ChangedMeanwhile.
    """
    money_moves = update.state in (State.PAID, State.REFUNDED, State.DISPUTED)
    if money_moves and update.currency != top_up.currency:
        changes = _wrong_currency(top_up, update)
    elif update.state == State.PAID:
        changes = _held_for_its_payer(top_up, update, now) or _paid(top_up, update.amount_micros, now)
    elif update.state == State.REFUNDED:
        changes = _refunded(top_up, update)
        changes |= _told_of_refund(top_up, changes["refunded_micros"])
    elif update.state == State.DISPUTED:
        changes = {"disputed_micros": update.amount_micros}
    elif update.state == State.DISPUTE_WON:
        changes = {"disputed_micros": 0}
    elif update.state == State.WARNED:
        changes = _warned(top_up)
    else:
        changes = _not_paid(top_up, update.state, now)
    # Its answer to our request was lost.
    if update.gateway_id and not top_up.gateway_id and can_be_held(update.gateway_id):
        changes = {**changes, "gateway_id": update.gateway_id}
    if changes:
        settle(top_up, changes, now=now)


def settle(top_up: TopUp, changes: Changes, *, now: datetime, actor: User | None = None) -> None:
    """Write `changes` and make the ledger agree with them: what is to be credited, taken back, or returned.

    Raises ChangedMeanwhile; the transaction around it is to be rolled back then.
    """
    before = {field.attname: getattr(top_up, field.attname) for field in TopUp._meta.concrete_fields}
    due_before = due(top_up)
    for name, value in changes.items():
        setattr(top_up, name, value)
    more = [now_due - was_due for now_due, was_due in zip(due(top_up), due_before, strict=True)]
    if top_up.received_micros:
        top_up.credited_micros += sum(more)
        top_up.next_check_at = None
    to_take = _to_take_back(top_up) - top_up.reversed_micros
    top_up.reversed_micros += to_take
    _conclude(top_up, reversed=to_take > 0)
    values = {name: getattr(top_up, name) for name, value in before.items() if getattr(top_up, name) != value}
    unchanged = TopUp.objects.filter(pk=top_up.pk, **{name: before[name] for name in _GUARDED})
    if values and not unchanged.update(**values):
        raise ChangedMeanwhile(top_up.reference)
    _credit(top_up, *more, first=not before["received_micros"], actor=actor)
    if top_up.received_micros and top_up.status != Status.REVIEW and top_up.status != before["status"]:
        issue_receipt(top_up, now=now)
    if to_take > 0:
        take_back(top_up, to_take, _("Payment %(reference)s was reversed") % {"reference": top_up.reference})
    elif to_take < 0:
        give_back(top_up, -to_take, _("Payment %(reference)s was restored") % {"reference": top_up.reference})


def due(top_up: TopUp) -> tuple[int, int]:
    """Return what the wallet is to get for what has been received: micros of money, and of bonus."""
    return _due_for(top_up, top_up.received_micros)


def credit_for(top_up: TopUp, received_micros: int) -> int:
    """Return the micros that the wallet would get, bonus included, were so much received in all by now."""
    return sum(_due_for(top_up, received_micros)) - sum(due(top_up))


def _due_for(top_up: TopUp, received_micros: int) -> tuple[int, int]:
    full = received_micros >= top_up.pay_micros
    return max(0, received_micros - top_up.fee_micros), top_up.bonus_micros if full else 0


_GUARDED = (
    "status",
    "gateway_id",
    "received_micros",
    "credited_micros",
    "refund_shares",
    "refunded_micros",
    "disputed_micros",
    "reversed_micros",
)


def _held_for_its_payer(top_up: TopUp, update: PaymentUpdate, now: datetime) -> Changes:
    """Keep a payment by somebody on the deny list for a human; nothing is credited until staff confirms it."""
    denied = denied_payer(update.payers) if not top_up.received_micros else None
    if denied is None:
        return {}
    if top_up.status != Status.REVIEW:  # gateways repeat themselves
        record_hit(denied, place=Place.PAYMENT, user=top_up.user, now=now)
    elif top_up.refunded_micros:
        return {"status": Status.REVIEW}  # what it says of the refund stays
    amount = f"{text_from_micros(update.amount_micros)} {update.currency}"
    text = _("%(amount)s came from a payer on the deny list. Refund it at the gateway, or confirm it to credit it.")
    return {"status": Status.REVIEW, "attention": text % {"amount": amount}, "next_check_at": None}


def _paid(top_up: TopUp, amount_micros: int, now: datetime) -> Changes:
    if top_up.received_micros:
        return _paid_again(top_up, amount_micros)
    if amount_micros <= 0:
        text = _("The gateway reports the payment as paid, but gives no amount.")
        return {"status": Status.REVIEW, "attention": text, "next_check_at": None}
    if _account_is_gone(top_up):
        text = _("Paid after the account was deleted. Refund it, or confirm it and pay it out by hand.")
        return {"status": Status.REVIEW, "attention": text, "next_check_at": None}
    warning = top_up.attention if top_up.attention == _fraud() else ""  # told before the payment was
    changes: Changes = {"status": Status.PAID, "received_micros": amount_micros, "paid_at": now, "attention": warning}
    if amount_micros < top_up.pay_micros:
        missing = text_from_micros(top_up.pay_micros - amount_micros)
        changes |= {"status": Status.REVIEW, "attention": _("Underpaid by %(amount)s.") % {"amount": missing}}
    elif amount_micros > top_up.pay_micros:
        more = text_from_micros(amount_micros - top_up.pay_micros)
        changes["note"] = _noted(top_up, _("Overpaid by %(amount)s.") % {"amount": more})
    elif top_up.status == Status.EXPIRED:
        changes["note"] = _noted(top_up, _("Paid after it had expired."))
    return changes


def _paid_again(top_up: TopUp, amount_micros: int) -> Changes:
    """The same sum is old news; what is to be done with another one is for staff to say."""
    if amount_micros == top_up.received_micros:
        return {"attention": ""} if top_up.attention == _declined_after_all() else {}
    now_says, said = text_from_micros(amount_micros), text_from_micros(top_up.received_micros)
    text = _("The gateway reports %(now)s paid in total; %(before)s is booked.") % {"now": now_says, "before": said}
    return {"attention": text, "status": Status.REVIEW}


def _refunded(top_up: TopUp, update: PaymentUpdate) -> Changes:
    """What has been paid back in all, by what is known of each refund where they have ids."""
    if not update.shares:
        before_micros = 0 if update.after_event is not None else top_up.refunded_micros
        return {"refunded_micros": max(before_micros, update.amount_micros)}
    known: dict[str, int] = dict(top_up.refund_shares)
    unnamed_micros = known.pop(UNNAMED, 0) if known else top_up.refunded_micros
    shares = {**known, **update.shares}
    named_micros = sum(shares.values())
    if update.every_share or not unnamed_micros:
        return {"refund_shares": shares, "refunded_micros": named_micros}
    # What turns up by name may be a part of what was refunded before, and a refund that is canceled another one: the
    # sum never falls below that one until the gateway tells of all of them.
    shares[UNNAMED] = unnamed_micros
    return {"refund_shares": shares, "refunded_micros": max(unnamed_micros, named_micros)}


def _told_of_refund(top_up: TopUp, refunded_micros: int) -> Changes:
    """Say of a payment that waits for a human, and of which nothing has been booked, what has gone back of it."""
    if top_up.received_micros or top_up.status != Status.REVIEW:
        return {}
    amount = f"{text_from_micros(refunded_micros)} {top_up.currency}"
    text = _("%(amount)s of it has been refunded at the gateway; nothing was credited. Decline it if that was all.")
    return {"attention": text % {"amount": amount}}


def _wrong_currency(top_up: TopUp, update: PaymentUpdate) -> Changes:
    amount = f"{text_from_micros(update.amount_micros)} {update.currency[:10]}"
    text = _("The gateway reports %(amount)s, but the payment is in %(currency)s.")
    return {
        "attention": text % {"amount": amount, "currency": top_up.currency},
        "status": Status.REVIEW,
        "next_check_at": None,
    }


def _not_paid(top_up: TopUp, state: State, now: datetime) -> Changes:
    """News without money: it moves what is open, and is only worth a look where money has come in already.

    What is being confirmed again after it was declined may be told late: its gateway is asked once more.
    """
    is_open = top_up.status in OPEN_TOP_UPS
    if state == State.PENDING and (is_open or top_up.status in (Status.DECLINED, Status.EXPIRED)):
        again = {"status": Status.PENDING, "next_check_at": top_up.next_check_at or now}
        return {} if top_up.status == Status.PENDING else again
    if state == State.DECLINED and is_open:
        return {"status": Status.DECLINED, "next_check_at": None}
    if state == State.EXPIRED and is_open:
        return {"status": Status.EXPIRED}
    if state == State.DECLINED and top_up.status == Status.PAID:
        return {"attention": top_up.attention or _declined_after_all()}
    return {}


def _warned(top_up: TopUp) -> Changes:
    """A warning is for a human, unless one is looking already or the money has gone back."""
    changes: Changes = {"note": _noted(top_up, _("The bank suspects fraud."))}
    if not top_up.attention and top_up.status not in (Status.REFUNDED, Status.DISPUTED):
        changes["attention"] = _fraud()
    return changes


def _account_is_gone(top_up: TopUp) -> bool:
    """Asked anew: the payment's row was waited for, and the customer may have been read before that."""
    return User.objects.filter(pk=top_up.user_id, email__endswith=f"@{DELETED_DOMAIN}").exists()


def _fraud() -> str:
    return _("The customer's bank reports this payment as fraud. Refund it now, or a dispute will probably follow.")


def _disputed() -> str:
    return _("The customer disputes the payment with the gateway.")


def _declined_after_all() -> str:
    return _("The gateway reports the payment as declined, after reporting it as paid.")


def _to_take_back(top_up: TopUp) -> int:
    """The share of what was credited that the gateway has paid back or holds in dispute, rounded up."""
    if not top_up.received_micros:
        return 0
    gone_micros = min(top_up.received_micros, top_up.refunded_micros + top_up.disputed_micros)
    return -(-top_up.credited_micros * gone_micros // top_up.received_micros)


def _conclude(top_up: TopUp, *, reversed: bool) -> None:
    """Name the state of a top-up that money came in for: paid back, disputed, or paid."""
    if not top_up.received_micros:
        return
    if not top_up.disputed_micros and top_up.attention == _disputed():
        top_up.attention = ""  # won, and the money has gone another way
    if top_up.refunded_micros >= top_up.received_micros:
        top_up.status = Status.REFUNDED
        top_up.attention = "" if reversed else top_up.attention
    elif top_up.disputed_micros:
        top_up.status = Status.DISPUTED
        if reversed:
            top_up.attention = _disputed()
    elif top_up.status in (Status.REFUNDED, Status.DISPUTED):
        top_up.status, top_up.attention = Status.PAID, ""
    if 0 < top_up.refunded_micros < top_up.received_micros:
        top_up.note = _noted(top_up, _("Part of it was refunded."))


def _credit(top_up: TopUp, money_micros: int, bonus_micros: int, *, first: bool, actor: User | None) -> None:
    name = f"top_up:{top_up.reference}"
    money_reference = name if first else f"{name}:more:{top_up.received_micros}"
    for amount_micros, kind, reference in (
        (money_micros, LedgerEntry.Kind.TOP_UP, money_reference),
        (bonus_micros, LedgerEntry.Kind.BONUS, f"{name}:bonus"),
    ):
        if amount_micros:
            note = _("Payment %(reference)s") % {"reference": top_up.reference}
            credit(
                user=top_up.user, amount_micros=amount_micros, kind=kind, reference=reference, note=note, actor=actor
            )


def _noted(top_up: TopUp, text: str) -> str:
    return top_up.note if text in top_up.note else f"{top_up.note} {text}".strip()[:300]
