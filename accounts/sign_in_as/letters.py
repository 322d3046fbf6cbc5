"""The letter to a customer whose pages support has looked at."""

from allauth.account.adapter import get_adapter
from django.utils.translation import override

from accounts.models import SupportVisit
from accounts.security.notices import addresses_to_tell


def tell_of_visit(visit: SupportVisit) -> None:
    """Mail the customer when support looked and why; who it was, and from where, stays with the shop."""
    customer = visit.user
    with override(customer.mail_language):
        for address in addresses_to_tell(customer, now=visit.began_at):
            get_adapter().send_mail("accounts/mail/support_looked", address, {"visit": visit})
