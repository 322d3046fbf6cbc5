"""What a number costs: the markup for everything on top of upstream's price for one."""

from accounts.models import User
from catalog.pricing import PriceBook, price_book
from sms.models import Project


def number_price_micros(project: Project, user: User | None, book: PriceBook | None = None) -> int:
    """Return what this customer pays for one number of the project, in store micros.

    For many projects open the book once with `catalog.pricing.price_book(user)` and hand it in: no query then.
    """
    return (book or price_book(user)).piece_micros(project.price_upstream_micros)
