"""What is mailed about a deletion, to the account's address and to one it had until lately."""

from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.security.notices import addresses_to_tell
from notifications.letters import write_letter
from preferences.face import STORE_NAME, SUPPORT_EMAIL
from privacy.deletion.links import keep_path
from privacy.models import AccountDeletion


def tell_requested(deletion: AccountDeletion, *, now: datetime) -> None:
    """Tell when the account goes, with the link that keeps it."""
    with translation.override(deletion.user.mail_language):
        _write(deletion, "deletion_requested", _("Your account will be deleted"), now)


def tell_kept(deletion: AccountDeletion, *, now: datetime) -> None:
    """Tell that the account stays."""
    with translation.override(deletion.user.mail_language):
        _write(deletion, "deletion_undone", _("Your account will not be deleted"), now)


def tell_obstacle(deletion: AccountDeletion, *, now: datetime) -> None:
    """Tell what the deletion waits for."""
    with translation.override(deletion.user.mail_language):
        _write(deletion, "deletion_waits", _("Your account can't be deleted yet"), now)


def tell_deleted(user: User, *, addresses: list[str], now: datetime) -> None:
    """Tell, for the last time, that the account is gone."""
    with translation.override(user.mail_language):
        body = body_when_deleted()
        for address in addresses:
            write_letter(address=address, subject=_("Your account has been deleted"), body=body, now=now)


def body_when_deleted() -> str:
    """Return the text of the last letter, in the language that is active."""
    words = {"store_name": STORE_NAME.value, "support_email": SUPPORT_EMAIL.value}
    return render_to_string("privacy/mail/deleted.txt", words).strip()


def body_of(deletion: AccountDeletion, template: str) -> str:
    """Return the text of one of these letters, in the language that is active."""
    words = {
        "deletion": deletion,
        "keep_url": settings.SITE_URL + keep_path(deletion),
        "store_name": STORE_NAME.value,
        "support_email": SUPPORT_EMAIL.value,
    }
    return render_to_string(f"privacy/mail/{template}.txt", words).strip()


def _write(deletion: AccountDeletion, template: str, subject: str, now: datetime) -> None:
    body = body_of(deletion, template)
    for address in addresses_to_tell(deletion.user, now=now):
        write_letter(address=address, subject=subject, body=body, now=now)
