"""Asking for the end of an account, and taking that back.

Meanwhile the account is inactive: no page, no key and no worker buys anything for it, and a sign-in leads to the page
that keeps it.
"""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.security.blocking import open_again
from accounts.security.sessions import end_all_sessions
from preferences.keeping import DELETION_DELAY
from privacy.deletion.letters import tell_kept, tell_requested
from privacy.deletion.links import LinkIsOver
from privacy.deletion.obstacles import Obstacle, lock_money, obstacles_of
from privacy.models import AccountDeletion

State = AccountDeletion.State


class CannotDelete(Exception):
    """Something has to be settled first; nothing has changed. `obstacles` say what, in words for the customer."""

    def __init__(self, obstacles: list[Obstacle]) -> None:
        self.obstacles = obstacles
        super().__init__("; ".join(obstacle.text for obstacle in obstacles))


def request_deletion(user: User, *, now: datetime) -> AccountDeletion:
    """Ask for the account to be deleted after a while; nobody is signed in to it from now on.

    Raises CannotDelete while it holds money or may come to hold some, and for staff.
    """
    with transaction.atomic():
        lock_money(user)
        user.refresh_from_db()
        if user.is_staff or user.is_superuser:
            raise CannotDelete([Obstacle(_("This is an account of the shop's staff. The owner of the shop ends it."))])
        obstacles = obstacles_of(user)
        if obstacles:
            raise CannotDelete(obstacles)
        if not User.objects.filter(pk=user.pk, is_active=True).update(is_active=False):
            raise CannotDelete([Obstacle(_("This account is disabled. Write to us."))])
        asked = {"state": State.PENDING, "requested_at": now, "due_at": now + DELETION_DELAY.value}
        fresh = {"kept_at": None, "obstacle": "", "obstacle_told_at": None}
        deletion, _created = AccountDeletion.objects.update_or_create(user=user, defaults=asked | fresh)
        end_all_sessions(user)
        tell_requested(deletion, now=now)
    return deletion


def pending_deletion_of(user: User) -> AccountDeletion | None:
    """Return the deletion that is under way and can be undone."""
    return AccountDeletion.objects.filter(user=user, state=State.PENDING).select_related("user").first()


def keep_account(deletion: AccountDeletion, *, now: datetime) -> None:
    """Take the request back: everything works as before. Raises LinkIsOver when it is no longer pending."""
    with transaction.atomic():
        mine = AccountDeletion.objects.filter(pk=deletion.pk, requested_at=deletion.requested_at, state=State.PENDING)
        if not mine.update(state=State.KEPT, kept_at=now, obstacle=""):
            raise LinkIsOver
        open_again(deletion.user_id)
        tell_kept(deletion, now=now)


def keep_for_the_owner(user: User, since: datetime) -> None:
    """Take back what whoever had the address changed asked for since; part of putting the old address back."""
    deletion = pending_deletion_of(user)
    if deletion is not None and deletion.requested_at >= since:
        keep_account(deletion, now=timezone.now())
        user.refresh_from_db(fields=["is_active"])
