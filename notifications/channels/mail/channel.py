"""Mail as a channel."""

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from notifications import kinds
from notifications.channels.channel import Channel
from notifications.channels.mail.sending import open_line


def works_for(user: User) -> bool:
    """Every account has an address; one that was deleted has none that anybody reads."""
    return user.is_active and not user.is_deleted


MAIL = Channel(kinds.MAIL, _("Email"), _("To the address of your account."), works_for, open_line)
