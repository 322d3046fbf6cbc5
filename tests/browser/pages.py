"""The pages that the walk looks at (test_walk.py). Whoever builds a page puts it here; nothing else is to be done.

An address is named as in urls.py; its arguments are those of the rows of one customer (tests/security/addresses.py).
"""

from dataclasses import dataclass

from tests.security.addresses import Addresses, routes


@dataclass(frozen=True)
class Walked:
    """A page: who looks at it, and whether it is looked at in the short walk of `make test`, too."""

    name: str
    query: str = ""
    signed_in: bool = True
    short: bool = False

    def address(self, addresses: Addresses) -> str:
        """Return where the page is. Raises StopIteration where there is no such name."""
        route = next(route for route in routes() if route.name == self.name)
        return addresses.of(route) + self.query


VISITORS = tuple(
    Walked(name, query, signed_in=False, short=short)
    for name, query, short in (
        ("home", "", True),
        ("catalog:index", "", False),
        ("catalog:category", "", True),
        ("catalog:search", "?q=followers", False),
        ("catalog:search", "?q=nothing-like-this", False),
        ("orders:place", "", True),
        ("sms:home", "", False),
        ("sms:home", "?q=telegram", False),
        ("sms:home", "?by=country", False),
        ("sms:site", "", False),
        ("sms:country", "", False),
        ("sms:buy", "", False),
        ("offline", "", False),
        ("account_login", "", True),
        ("account_signup", "", False),
        ("account_reset_password", "", False),
        ("api:docs", "", False),
        ("documents:document", "", False),
        ("support:help", "", False),
        ("support:status", "", False),
        ("support:announcements", "", False),
        ("changes", "", False),
    )
)
CUSTOMERS = tuple(
    Walked(name, query, short=short)
    for name, query, short in (
        ("home", "", False),
        ("catalog:search", "?q=followers", True),
        ("catalog:favorites", "", False),
        ("orders:place", "", True),
        ("orders:list", "", True),
        ("orders:list", "?q=nothing-like-this", False),
        ("orders:detail", "", True),
        ("orders:mass", "", False),
        ("orders:quick", "", False),
        ("orders:referrals", "", False),
        ("wallet:home", "", True),
        ("wallet:add", "", False),
        ("wallet:payment", "", False),
        ("wallet:receipts", "", True),
        ("wallet:receipt", "", False),
        ("sms:home", "?q=telegram", False),
        ("sms:waiting", "", True),
        ("sms:history", "", True),
        ("account", "", True),
        ("account_security", "", True),
        ("account_email", "", False),
        ("api:keys", "", True),
        ("api:key", "", False),
        ("api:console", "?action=add", False),
        ("api:webhooks", "", False),
        ("api:webhook", "", False),
        ("privacy:home", "", False),
        ("orders:goods", "", False),
        ("support:help", "", True),
        ("support:new", "", False),
        ("support:ticket", "", True),
        ("support:status", "", False),
        ("support:announcements", "", False),
        ("changes", "", False),
        ("documents:accept", "", False),
        ("notices:list", "", False),
        ("notices:choices", "", False),
        ("account_change_password", "", False),
        ("account_logout", "", False),
        ("mfa_index", "", False),
        ("mfa_activate_totp", "", False),
        ("api:webhook_delivery", "", False),
    )
)
PAGES = VISITORS + CUSTOMERS
SHORT = tuple(page for page in PAGES if page.short)
