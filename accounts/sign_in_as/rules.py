"""Who may look at the shop as whom. Asked when it begins, and again at every page."""

from django.conf import settings
from django.contrib.auth.models import AnonymousUser

from accounts.models import User

PERMISSION = "accounts.sign_in_as"


def is_offered() -> bool:
    """Whether this shop has it at all.

    Not with ADMIN_HOST: staff is signed in at that host alone, and the shop's own host knows nothing of them.
    """
    return bool(settings.SIGN_IN_AS) and not settings.ADMIN_HOST


def may_sign_in(staff: User | AnonymousUser) -> bool:
    """Whether somebody may look at the shop as customers see it."""
    return is_offered() and staff.is_active and staff.is_staff and staff.has_perm(PERMISSION)


def may_sign_in_as(*, hijacker: User | AnonymousUser, hijacked: User | None) -> bool:
    """Whether one may look at the shop as the other: never as a closed account, or as staff, which they are as well."""
    if hijacked is None or not may_sign_in(hijacker):
        return False
    return hijacked.is_active and not (hijacked.is_staff or hijacked.is_superuser)
