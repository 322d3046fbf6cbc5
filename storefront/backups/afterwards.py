"""What a shop needs after its database came back from a backup, before a worker starts: all of it in one place."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from accounts.trail import Action, record
from orders.models import RestoreGap
from orders.reconciliation.restore import declare_restored, known_until_now, left_of_restore, restore_under_way
from storefront.backups.ids import jump_since, skip_ids
from storefront.backups.restore import end_backup_under_way
from upstream.money import text_from_micros
from wallet.models import ReceiptGap
from wallet.operations.restore import (
    NotAsked,
    UnknownPayment,
    ask_all_again,
    payments_unknown_here,
    skip_receipt_numbers,
)


@dataclass(frozen=True)
class Restored:
    """What was done at once."""

    known_until: datetime | None
    made_unknown: int
    next_order: int
    receipts: ReceiptGap | None
    payments_asked_again: int


def after_restore(*, now: datetime) -> Restored:
    """Skip the numbers that were promised, pause forwarding, make unsent orders unknown, have gateways asked again.

    Any number of times: one that was interrupted is gone on with by calling it again. Raises NoRoomToJump and
    MayNotSkip with nothing changed.
    """
    known_until, begun = known_until_now(), restore_under_way()
    numbers = skip_ids(jump_since(known_until, now))
    receipts = skip_receipt_numbers(known_until=known_until, begun_at=begun.restored_at if begun else None, now=now)
    made_unknown = declare_restored(known_until=known_until, now=now)
    end_backup_under_way()
    done = Restored(
        known_until=known_until,
        made_unknown=made_unknown,
        next_order=numbers["orders_order"] + 1,
        receipts=receipts,
        payments_asked_again=ask_all_again(now=now),
    )
    record(
        Action.COMMAND,
        actor=None,
        after={
            "command": "after_restore",
            "orders": made_unknown,
            "known_until": known_until.isoformat() if known_until else "",
            "next_order": done.next_order,
        },
    )
    return done


def checklist(done: Restored) -> Iterator[str]:
    """Yield what only people can do after a restore, in the order in which to do it."""
    since = f"{done.known_until:%Y-%m-%d %H:%M} UTC" if done.known_until else "the backup"
    yield f"Compare the supplier's own list with Admin → Orders found after a restore: what was bought since {since}."
    yield "Enter what you paid to the supplier since then (Admin → Upstream account), or the audit misses it."
    yield "Refunds and disputes at the payment providers since then: look there, and enter what was taken back."
    yield "Transfers by hand, withdrawals and credits since then: enter them again."
    yield "Accounts that were deleted since then are back: delete them again (the log names them)."
    yield "Passwords, second factors, API keys and settings are as they were: revoke again what was revoked since."
    yield "Tell customers who ordered since then; their numbers answer as unknown and are given to nobody else."
    yield "Start web, workers and beat, run `manage.py audit`, then `manage.py resume`."


def payments_to_look_at(since: datetime | None) -> Iterator[str]:
    """Yield a line for each payment that a provider has and nobody here knows, and for each provider that can't say."""
    if since is None:
        return
    for found in payments_unknown_here(since):
        match found:
            case UnknownPayment():
                amount = f"{text_from_micros(found.amount_micros)} {found.currency}"
                yield (
                    f"{found.gateway}: {amount} was paid as {found.payment_id} ({found.reference}), not known here. "
                    f"Who paid stands there: manage.py credit EMAIL AMOUNT --reference {found.payment_id} --note …"
                )
            case NotAsked():
                yield f"{found.gateway}: {found.why}; look there for what was paid since."


def what_is_left(now: datetime) -> Iterator[str]:
    """Yield what of the last restore is not settled yet; nothing where all of it is."""
    left = left_of_restore()
    if left.unknown:
        yield (
            f"{left.unknown} orders that may have been sent are looked into; {left.windows_open} of them wait for the "
            "first order that is sent from now on and answers, or for staff (Admin → Orders → Need attention)."
        )
    if left.gaps:
        yield "Not every order number of the supplier's from that time has been asked about yet: the workers go on."
    if left.found:
        yield f"{left.found} orders were found at the supplier: Admin → Orders found after a restore."
    newest = RestoreGap.objects.order_by("-restored_at").first()
    yield from payments_to_look_at(newest.known_until if newest else None)
