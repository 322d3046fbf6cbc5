"""The bell as a channel: nothing leaves, the rows themselves are what is read."""

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from notifications import kinds
from notifications.channels.channel import Channel


def works_for(user: User) -> bool:
    """Whoever can sign in can read it."""
    return user.is_active


BELL = Channel(kinds.BELL, _("Bell"), _("In the shop, behind the bell at the top of every page."), works_for)
