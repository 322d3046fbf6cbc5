"""Carrying out the deletions that are due, and telling of those that have to wait."""

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.batches import batches
from accounts.templatetags.money import money
from notifications.outbox import tell_admins
from preferences.keeping import DELETION_DELAY
from privacy.deletion.account import MustWait, end_account, wipe_account
from privacy.deletion.letters import tell_obstacle
from privacy.models import AccountDeletion
from wallet.models import GatewayEvent, Wallet

log = structlog.get_logger(__name__)
State = AccountDeletion.State
BATCH = 100
LOOK_AGAIN = timedelta(hours=12)
TOLD_EVERY = timedelta(days=7)


def delete_accounts(*, now: datetime) -> int:
    """Delete the accounts whose time has come; return how many. One that fails stops no other, and is tried again."""
    due = AccountDeletion.objects.filter(state=State.PENDING, due_at__lte=now).select_related("user").order_by("due_at")
    for deletion in due[:BATCH]:
        _guarded(deletion, lambda one: _end(one, now))
    done = 0
    begun = AccountDeletion.objects.filter(state=State.WIPING).select_related("user").order_by("pk")
    for deletion in begun[:BATCH]:
        done += _guarded(deletion, lambda one: wipe_account(one, now=now))
    empty_late_news(now=now)
    tell_of_money_left()
    return done


def empty_late_news(*, now: datetime) -> None:
    """Empty what gateways told of payments of accounts that were gone already, as what they had told before.

    Not at once: an answer of theirs that lags behind is read beside it.
    """
    late = GatewayEvent.objects.filter(
        top_up__user__deletion__state=State.DONE, created_at__lt=now - DELETION_DELAY.value
    ).exclude(body="")
    for pks in batches(late):
        GatewayEvent.objects.filter(pk__in=pks).update(headers={}, body="", address=None)


def tell_of_money_left() -> None:
    """Tell the admins of money in the wallets of deleted accounts: it is somebody's, and nobody will ask for it."""
    for wallet in Wallet.objects.filter(user__deletion__wiped_at__isnull=False, balance_micros__gt=0):
        body = _("The wallet of deleted account %(number)s holds %(amount)s. Find out whose it is, and pay it out.")
        body %= {"number": wallet.user_id, "amount": money(wallet.balance_micros)}
        key = f"deleted-account-money:{wallet.user_id}:{wallet.balance_micros}"
        tell_admins(key, _("Money in a deleted account"), body)


def _end(deletion: AccountDeletion, now: datetime) -> None:
    try:
        with translation.override(deletion.user.mail_language):
            end_account(deletion, now=now)
    except MustWait as reason:
        pending = AccountDeletion.objects.filter(pk=deletion.pk, state=State.PENDING)
        pending.update(due_at=now + LOOK_AGAIN, obstacle=str(reason)[:300])
        told = deletion.obstacle_told_at
        if str(reason) and (told is None or told < now - TOLD_EVERY):
            deletion.obstacle = str(reason)
            if pending.update(obstacle_told_at=now):
                tell_obstacle(deletion, now=now)


def _guarded(deletion: AccountDeletion, act: Callable[[AccountDeletion], None]) -> bool:
    try:
        act(deletion)
    except Exception:  # whatever is wrong with one of them, the others are due
        log.exception("deletion_failed", deletion_id=deletion.pk)
        return False
    return True
