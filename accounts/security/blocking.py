"""Blocking an account, and ending that: the one way in which staff switches an account off.

Whoever is blocked is signed out everywhere, and neither signs in nor orders nor calls the API. What was ordered goes
on, and what is refunded lands in the wallet.
"""

from dataclasses import replace
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import AccountBlock, User
from accounts.rights import NotYours, may_touch_account, refuse_change_of_rights, rights_of
from accounts.security.sessions import end_all_sessions
from accounts.trail import Action, record


class AlreadyBlocked(Exception):
    """The account is blocked; nothing has changed."""


class NotBlocked(Exception):
    """The account is not blocked, or its owner has closed it and it is theirs to open; nothing has changed."""


def open_block_of(user: User) -> AccountBlock | None:
    """Return the block that holds now."""
    return AccountBlock.objects.open().filter(user=user).select_related("begun_by").first()


def closed_by_owner(user: User) -> bool:
    """Whether the account waits to be deleted at its owner's wish: they may open it again, and nobody else."""
    return getattr(getattr(user, "deletion", None), "state", "") == "pending"


@transaction.atomic
def block_account(user: User, *, actor: User, reason: str, told: str = "", now: datetime) -> AccountBlock:
    """Keep the customer out from now on; `reason` is for staff, `told` for the customer.

    Raises NotYours for an account that the actor may not touch, their own, or the last owner's; AlreadyBlocked.
    """
    if actor.pk == user.pk:
        raise NotYours(_("You can't block your own account."))
    if not may_touch_account(actor, user):
        raise NotYours(_("This account has more rights than you."))
    refuse_change_of_rights(actor, user, replace(rights_of(user), is_active=False))
    locked = User.objects.select_for_update().get(pk=user.pk)
    if locked.is_deleted or AccountBlock.objects.open().filter(user=user).exists():
        raise AlreadyBlocked
    words = {"reason": reason.strip(), "told": told.strip()}
    block = AccountBlock.objects.create(user=user, **words, was_active=locked.is_active, begun_by=actor, begun_at=now)
    User.objects.filter(pk=user.pk).update(is_active=False)
    end_all_sessions(user)
    user.is_active = False
    record(Action.RIGHTS, actor=actor, target=user, before={"is_active": locked.is_active},
           after={"is_active": False, **words}, now=now)  # fmt: skip
    return block


@transaction.atomic
def unblock_account(user: User, *, actor: User, now: datetime) -> None:
    """Let the customer in again; also one who was switched off before blocks had rows. Raises NotYours, NotBlocked."""
    if not may_touch_account(actor, user):
        raise NotYours(_("This account has more rights than you."))
    locked = User.objects.select_for_update().get(pk=user.pk)
    block = open_block_of(user)
    if block is None and (locked.is_active or locked.is_deleted or closed_by_owner(locked)):
        raise NotBlocked
    comes_back = block is None or block.was_active
    AccountBlock.objects.open().filter(user=user).update(ended_at=now, ended_by=actor)
    if comes_back:
        User.objects.filter(pk=user.pk).update(is_active=True)
    user.is_active = comes_back
    record(Action.RIGHTS, actor=actor, target=user, before={"is_active": locked.is_active},
           after={"is_active": comes_back, "unblocked": True}, now=now)  # fmt: skip


def open_again(user_id: int) -> None:
    """Let an account be used again that its owner had closed: now, or once it is no longer blocked."""
    User.objects.select_for_update().get(pk=user_id)
    if not AccountBlock.objects.open().filter(user=user_id).update(was_active=True):
        User.objects.filter(pk=user_id).update(is_active=True)
