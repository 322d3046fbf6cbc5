"""Ending an account: in one transaction what makes it somebody's, then, some at a time, what refers to it.

After the first step nobody signs in to it and nothing names its owner; from then on it cannot be undone. The second one
may be interrupted anywhere: it does the same again and ends when there is nothing left.
"""

from datetime import datetime
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F

from accounts.batches import spans
from accounts.models import User, deleted_address
from accounts.security.notices import addresses_to_tell
from orders.lifecycle.cashback import forgo_cashback
from orders.lifecycle.referrals import forgo_earnings
from privacy.deletion.letters import tell_deleted
from privacy.deletion.obstacles import lock_money, may_still_change, obstacles_of
from privacy.exports.files import remove
from privacy.models import AccountDeletion, DataExport
from privacy.registry import TABLES
from privacy.registry.kinds import Deleted, Emptied, Stays, Table

log = structlog.get_logger(__name__)
State = AccountDeletion.State


class MustWait(Exception):
    """Money came in, or may still come in; nothing has changed. The text is for people."""


def end_account(deletion: AccountDeletion, *, now: datetime) -> bool:
    """Carry out the first step of a deletion that is due; return whether this worker did. Raises MustWait."""
    with transaction.atomic():
        user = deletion.user
        # Before the wallet, as whoever credits an earning takes them in this order.
        forgo_earnings(user, now=now)
        forgo_cashback(user, now=now)
        lock_money(user)
        mine = AccountDeletion.objects.filter(pk=deletion.pk, state=State.PENDING, due_at__lte=now)
        if not mine.update(state=State.WIPING, wiped_at=now, obstacle=""):
            transaction.set_rollback(True)
            return False
        user.refresh_from_db()
        obstacles = obstacles_of(user)
        if obstacles:
            raise MustWait(" ".join(obstacle.text for obstacle in obstacles))
        if may_still_change(user):
            raise MustWait
        if user.is_active or user.is_staff or user.is_superuser:
            raise MustWait  # somebody has opened it again, by hand
        addresses = addresses_to_tell(user, now=now)
        for table in TABLES:
            if table.at_once:
                _carry_out(table, table.of(user))
        User.objects.filter(referred_by=user).update(referred_by=None)
        user.email = deleted_address(user.pk)
        user.set_unusable_password()
        User.objects.filter(pk=user.pk).update(
            email=user.email, password=user.password, sessions_ended=F("sessions_ended") + 1
        )
        tell_deleted(user, addresses=addresses, now=now)
    return True


def wipe_account(deletion: AccountDeletion, *, now: datetime) -> None:
    """Carry out the second step, or what is left of it."""
    for export in DataExport.objects.filter(user=deletion.user_id):
        remove(export.file_name)
    for table in TABLES:
        if not table.at_once and not isinstance(table.deletion, Stays):
            rows = table.of(deletion.user)
            for after, last in spans(rows):
                _carry_out(table, rows.filter(pk__gt=after, pk__lte=last))
    AccountDeletion.objects.filter(pk=deletion.pk, state=State.WIPING).update(state=State.DONE, done_at=now)
    log.info("account_deleted", user_id=deletion.user_id)


def _carry_out(table: Table, rows: Any) -> None:
    if isinstance(table.deletion, Deleted):
        rows.delete()
    elif isinstance(table.deletion, Emptied):
        # By their ids: SQL knows no UPDATE across the joins that led here.
        rows.model._base_manager.filter(pk__in=list(rows.values_list("pk", flat=True))).update(**table.deletion.columns)
