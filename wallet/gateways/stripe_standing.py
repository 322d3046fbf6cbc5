"""How it stands of the refunds and disputes of a Stripe payment, by what Stripe lists now and by what its events told.

A list may be older than an event that has been told: what it does not say yet, or says no more, is no reason to return
money. So each object counts as it was at its furthest. The list adds what was not told, and replaces what was told of
the same object where that may have come before; it never undoes what comes last:

    charge      A debit that its bank took back stays taken back.
    refund      One that failed or was canceled stays so, and one that was told of exists.
    dispute     It goes from question to dispute to its end, and each move of money adds a `balance_transactions` row.
    warning     Once it was not actionable any more, earlier news of it are old.

Source: https://docs.stripe.com/api/charges/object (failure_balance_transaction, amount_refunded),
https://docs.stripe.com/api/refunds/object (status), https://docs.stripe.com/api/disputes/object (status,
balance_transactions: "funds withdrawn and reinstated"), https://docs.stripe.com/api/events/object (created);
read in November 2026.
"""

from collections.abc import Iterable
from typing import Any

from wallet.gateways.base import Unreachable, object_in, text_in

Row = dict[str, Any]
Sum = tuple[int, str]  # Stripe's integer amount, and its currency

# A refund in these states has come back to us; in any other, "pending" too, the money has left or is about to.
CAME_BACK = frozenset({"failed", "canceled"})
# A dispute in these states holds nothing, nor in one that begins with "warning_", which is only a question.
# Any other one has taken the money: an appeal follows a dispute that was lost.
HOLDS_NOTHING = frozenset({"won", "prevented", "charge_refunded"})
# How a dispute goes on. One in a state that is not known here is under way.
STEPS = (
    "warning_needs_response",
    "warning_under_review",
    "warning_closed",
    "needs_response",
    "under_review",
    "lost",
    "appeal_needs_response",
    "appeal_under_review",
    "won",
    "prevented",
    "charge_refunded",
)
UNDER_WAY = STEPS.index("under_review")


def refunded(charges: list[Row], refunds: list[Row], events: list[Row], intent: str) -> Sum:
    """Return all refunds of a payment that have not failed, or the whole of it if its bank has taken it back.

    `charges` and `refunds` are as they are listed; `events` all that were told of the payment, the one that asks last.
    Raises Unreachable for a refund without an amount.
    """
    told_charges = [charge for _moment, charge in _told(events, "charge", intent)]
    taken = _taken_back_by_the_bank(charges, told_charges)
    if taken:
        return _sum([taken])
    known: dict[str, Row] = {}
    for refund in (*(refund for _moment, refund in _told(events, "refund", intent)), *refunds):
        before = known.get(text_in(refund, "id"))
        if before is None or not came_back(before) or came_back(refund):
            known[text_in(refund, "id")] = refund
    gone = [refund for refund in known.values() if not came_back(refund)]
    unlisted = _unlisted(told_charges, known.values())
    return _sum([*gone, *unlisted], text_in(object_in(events[-1], "data", "object"), "currency"))


def disputed(disputes: list[Row], events: list[Row], intent: str) -> Sum | None:
    """Return what all disputes of a payment hold, or None for nothing; it may be disputed more than once.

    The parameters are those of `refunded`. Raises Unreachable for a dispute without an amount.
    """
    told = sorted(_told(events, "dispute", intent), key=lambda one: (one[0], _progress(one[1])))
    known = {text_in(dispute, "id"): dispute for _moment, dispute in told}
    for dispute in disputes:
        before = known.get(text_in(dispute, "id"))
        if before is None or _progress(dispute) >= _progress(before):
            known[text_in(dispute, "id")] = dispute
    holding = [dispute for dispute in known.values() if _holds(text_in(dispute, "status"))]
    return _sum(holding) if holding else None


def is_warned(events: list[Row], intent: str) -> bool:
    """Whether something can still be done about the warning that the last of these events is about."""
    about = object_in(events[-1], "data", "object")
    same = [
        (moment, warning)
        for moment, warning in _told(events, "radar.early_fraud_warning", intent)
        if text_in(warning, "id") == text_in(about, "id")
    ]
    over = [moment for moment, warning in same if warning.get("actionable") is not True]
    return about.get("actionable") is True and not any(moment >= _moment(events[-1]) for moment in over)


def bank_took_back(charge: Row) -> bool:
    """Whether this is a debit that left our account again, whole, after it had succeeded. That is for good.

    A refund that failed has a field of the same name.
    """
    return text_in(charge, "object") == "charge" and bool(charge.get("failure_balance_transaction"))


def came_back(refund: Row) -> bool:
    return text_in(refund, "status") in CAME_BACK


def amount_in(source: Row, name: str) -> int:
    """Return an integer amount of Stripe's; 0 for what is none."""
    amount = source.get(name)
    return amount if isinstance(amount, int) and not isinstance(amount, bool) and 0 <= amount < 10**12 else 0


def _told(events: Iterable[Row], what: str, intent: str) -> list[tuple[int, Row]]:
    """Return what events told of objects of a payment, each with the second in which it was so, oldest first."""
    told = [(_moment(event), object_in(event, "data", "object")) for event in events]
    ours = [
        (moment, about)
        for moment, about in told
        if text_in(about, "object") == what and text_in(about, "payment_intent") == intent and text_in(about, "id")
    ]
    return sorted(ours, key=lambda one: one[0])


def _moment(event: Row) -> int:
    created = event.get("created")
    return created if isinstance(created, int) else 0


def _taken_back_by_the_bank(listed: list[Row], told: list[Row]) -> Row | None:
    """Return the charge that the bank took back, unless another one has paid; refunds of it take nothing more."""
    by_id = {text_in(charge, "id"): charge for charge in (*told, *listed)}
    by_id |= {text_in(charge, "id"): charge for charge in told if bank_took_back(charge)}
    taken = [charge for charge in by_id.values() if bank_took_back(charge)]
    if any(text_in(charge, "status") == "succeeded" and charge not in taken for charge in by_id.values()):
        return None
    return max(taken, key=lambda charge: amount_in(charge, "amount"), default=None)


def _unlisted(told_charges: list[Row], refunds: Iterable[Row]) -> list[Row]:
    """Return what charges said was refunded beyond all refunds known by name, failed ones too: as one of its own."""
    most: dict[str, Row] = {}
    for charge in told_charges:
        before = most.setdefault(text_in(charge, "id"), charge)
        if amount_in(charge, "amount_refunded") > amount_in(before, "amount_refunded"):
            most[text_in(charge, "id")] = charge
    said = sum(amount_in(charge, "amount_refunded") for charge in most.values())
    missing = said - sum(amount_in(refund, "amount") for refund in refunds)
    return [{"amount": missing, "currency": text_in(told_charges[-1], "currency")}] if missing > 0 else []


def _progress(dispute: Row) -> tuple[int, int]:
    """Return how far a dispute has come: how often its money has moved, and the step it is at."""
    moved, status = dispute.get("balance_transactions"), text_in(dispute, "status")
    step = STEPS.index(status) if status in STEPS else UNDER_WAY
    return len(moved) if isinstance(moved, list) else 0, step


def _holds(status: str) -> bool:
    return status not in HOLDS_NOTHING and not status.startswith("warning_")


def _sum(rows: list[Row], currency: str = "") -> Sum:
    """Return the sum and its currency, `currency` without rows; of several one that no payment is in, for a human.

    Raises Unreachable for a row without an amount: as nothing it would be missing.
    """
    if not all(amount_in(row, "amount") for row in rows):
        raise Unreachable("Stripe: not an amount")
    currencies = sorted({text_in(row, "currency") for row in rows}) or [currency]
    return sum(amount_in(row, "amount") for row in rows), "+".join(currencies)
