"""Mails of allauth's sign-in go through the outbox: no page waits for a mail server."""

from django.core.mail import EmailMessage

from accounts.sign_up import adapter
from notifications.letters import write_letter


class AccountAdapter(adapter.AccountAdapter):
    """The shop's adapter, writing letters."""

    def deliver(self, message: EmailMessage) -> None:
        for address in message.to:
            write_letter(address=address, subject=str(message.subject), body=str(message.body))
