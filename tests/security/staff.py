"""People who work here: one in a ready-made role, or one with single rights."""

from django.contrib.auth.models import Group, Permission
from django.test import Client

from accounts.models import User
from accounts.rights import ROLES
from storefront.roles import keep_the_roles
from tests.conftest import customer


def in_role(email: str, *roles: str) -> User:
    """Return a new member of staff in these roles, which are as `migrate` makes them."""
    keep_the_roles()  # a test that commits leaves no groups behind
    user = customer(email, is_staff=True)
    user.groups.set(Group.objects.filter(name__in=roles))
    assert user.groups.count() == len(roles)
    return user


def with_rights(email: str, *codenames: str) -> User:
    """Return a new member of staff with these permissions alone."""
    user = customer(email, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    assert user.user_permissions.count() == len(codenames)
    return user


def at_the_admin(user: User) -> Client:
    """Return a browser in which this person has just signed in."""
    client = Client()
    client.force_login(user)
    return client


def their_own_groups() -> list[str]:
    """The names of the groups that are none of the ready-made roles."""
    return list(Group.objects.exclude(name__in=ROLES).order_by("pk").values_list("name", flat=True))
