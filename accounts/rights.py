"""Who may give which rights to whom, and whose account somebody may touch: nobody comes to more than they have.

A right that can be given by whoever does not have it, or an account that can be entered by whoever has less, is a way
up. So rights are given and taken by owners alone, and by an owner who is no superuser only as far as their own go.
These questions are asked of the database anew: what a session remembers of somebody's rights does not count.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.auth.models import Group, Permission
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.models import TrailEntry, User

OWNER, FINANCE, CATALOG, SUPPORT = ROLES = ("Owner", "Finance", "Catalog", "Support")


class NotYours(Exception):
    """Somebody tried to give, take or touch what is not theirs; the text is for them."""


@dataclass(frozen=True)
class Rights:
    """What an account may do, as it is written down. An account that is switched off keeps them for later."""

    is_active: bool = True
    is_staff: bool = False
    is_superuser: bool = False
    groups: frozenset[int] = frozenset()
    permissions: frozenset[int] = frozenset()


def rights_of(user: User) -> Rights:
    """Return what is stored at this moment; of an account that is not stored yet, what a customer has."""
    stored = User.objects.filter(pk=user.pk).values("is_active", "is_staff", "is_superuser").first()
    if stored is None:
        return Rights()
    groups, permissions = user.groups.values_list("pk", flat=True), user.user_permissions.values_list("pk", flat=True)
    return Rights(**stored, groups=frozenset(groups), permissions=frozenset(permissions))


def is_owner(user: User) -> bool:
    """Whether this is a member of staff who owns the shop: a superuser, or one in the role "Owner"."""
    return owners().filter(pk=user.pk).exists()


def owners() -> QuerySet[User]:
    """Return everybody who owns the shop and can enter it."""
    role = User.groups.through.objects.filter(user_id=OuterRef("pk"), group__name=OWNER)
    return User.objects.filter(Q(is_superuser=True) | Exists(role), is_active=True, is_staff=True)


def may_touch_account(actor: User, account: User) -> bool:
    """Whether the actor may change this account, its keys, addresses and factors, or have a password chosen for it.

    Customers, whoever may change customers may; whoever works here, or has any right, owners alone; and nobody an
    account that has a right which they have not.
    """
    if actor.is_superuser:
        return True
    rights = rights_of(account)
    if not (rights.is_staff or rights.is_superuser or rights.groups or rights.permissions):
        return True
    return not rights.is_superuser and is_owner(actor) and _all_of(rights.groups, rights.permissions) <= _held(actor)


def has_worked_here(account: User) -> bool:
    """Whether this account is staff's or has been, by the trail.

    Who may take somebody's rights for a moment must not find what is staff's to be a customer's meanwhile.
    """
    rights = rights_of(account)
    if rights.is_staff or rights.is_superuser or rights.groups or rights.permissions:
        return True
    changes = TrailEntry.objects.filter(
        action=TrailEntry.Action.RIGHTS, target_type=User._meta.label, target_id=str(account.pk)
    )
    return changes.filter(Q(before__is_staff=True) | Q(before__is_superuser=True)).exists()


def refuse_change_of_rights(actor: User, account: User, after: Rights) -> None:
    """Raise NotYours unless the actor may make the account's rights those; needs a transaction.

    Until it ends, nobody else changes who owns the shop: of two owners who take each other out, the second fails.
    """
    list(owners().order_by("pk").select_for_update(of=("self",), no_key=True))
    before = rights_of(account)
    if before == after:
        return
    if account.pk is not None and not may_touch_account(actor, account):
        raise NotYours(_("This account has more rights than you."))
    if before.is_superuser != after.is_superuser and not actor.is_superuser:
        raise NotYours(_("Only a superuser makes superusers."))
    if (before.is_staff, before.groups, before.permissions) != (after.is_staff, after.groups, after.permissions):
        if not is_owner(actor):
            raise NotYours(_("Only owners decide who works here, and what they may do."))
        _refuse_more_than_held(actor, before.groups ^ after.groups, before.permissions ^ after.permissions)
    _refuse_to_lose_the_last(account, after)


def refuse_change_of_group(actor: User, group: Group, after: Iterable[int]) -> None:
    """Raise NotYours unless the actor may make these (ids of permissions) the group's; none, to delete it."""
    if not is_owner(actor):
        raise NotYours(_("Only owners edit roles."))
    before: set[int] = set()
    if group.pk is not None:
        name = Group.objects.filter(pk=group.pk).values_list("name", flat=True).first()
        if name in ROLES:
            raise NotYours(_("The shop keeps this role as it is. Add one of your own beside it."))
        before = set(group.permissions.values_list("pk", flat=True))
        # Its members have it all: whoever cannot give the whole of it does not change it either.
        _refuse_more_than_held(actor, [group.pk], ())
    _refuse_more_than_held(actor, (), before ^ set(after))


def _refuse_more_than_held(actor: User, groups: Iterable[int], permissions: Iterable[int]) -> None:
    if not actor.is_superuser and not _all_of(groups, permissions) <= _held(actor):
        raise NotYours(_("You can't give or take a right that you don't have yourself."))


def _refuse_to_lose_the_last(account: User, after: Rights) -> None:
    """Leave the shop somebody who owns it, and a superuser if it has one: nobody could make another here."""
    others = owners().exclude(pk=account.pk)
    enters = after.is_active and after.is_staff
    was = owners().filter(pk=account.pk)
    stays = not was.filter(is_superuser=True).exists() or (enters and after.is_superuser)
    if not stays and not others.filter(is_superuser=True).exists():
        raise NotYours(_("This is the last superuser. Make somebody else one first."))
    owns = enters and (after.is_superuser or Group.objects.filter(pk__in=after.groups, name=OWNER).exists())
    if was.exists() and not owns and not others.exists():
        raise NotYours(_("This is the last owner. Make somebody else one first."))


def _held(user: User) -> set[int]:
    rights = rights_of(user)
    return _all_of(rights.groups, rights.permissions)


def _all_of(groups: Iterable[int], permissions: Iterable[int]) -> set[int]:
    """Return these permissions and those of the groups."""
    of_groups = Permission.objects.filter(group__pk__in=list(groups)).values_list("pk", flat=True)
    return {*permissions, *of_groups}
