"""Sending mails over one connection to the server."""

from collections.abc import Sequence

from django.core.mail import EmailMessage, get_connection

from accounts.models import User
from notifications.channels.mail.message import message_about
from notifications.models import Notice


class MailLine:
    """A connection to the mail server, which the first mail opens."""

    def __init__(self) -> None:
        self._connection = get_connection()

    def open(self) -> None:
        """Connect. Raises what the backend raises where nobody answers."""
        self._connection.open()

    def send(self, user: User | None, notices: Sequence[Notice]) -> None:
        """Send one mail about all of these. Raises what the backend raises, each in its own way."""
        self.deliver(message_about(user, notices))

    def deliver(self, message: EmailMessage) -> None:
        """Send a mail that is ready. Raises what the backend raises."""
        message.connection = self._connection
        message.send()

    def close(self) -> None:
        """Close it, for it may be broken; the next mail opens it again."""
        self._connection.close()


def open_line() -> MailLine:
    """Connect to the mail server. Raises what the backend raises where nobody answers."""
    line = MailLine()
    line.open()
    return line
