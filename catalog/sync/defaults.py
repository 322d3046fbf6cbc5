"""The defaults of a new category: what it probably sells. The admin decides, and a sync never sets them twice."""

import re

from catalog.models import Category, Delivery, RateUnit

PRODUCT_WORDS = re.compile(
    r"\b(accounts?|e-?mails?|gmail|outlook|hotmail|yahoo|prox(y|ies)|vpns?|keys?|licen[cs]es?|gift ?cards?|"
    r"vouchers?|software|subscriptions?|аккаунт\w*|почт\w*|прокси|ключ\w*)\b",
    re.IGNORECASE,
)


def new_category(name: str, *, has_products: bool) -> Category:
    """Return an unsaved category: goods go to an e-mail address and are priced each, work is done at a link.

    `has_products` says that upstream itself calls one of its services a product; without that the name decides.
    """
    if has_products or PRODUCT_WORDS.search(name):
        return Category(name=name, delivery=Delivery.EMAIL, rate_per=RateUnit.ONE)
    return Category(name=name, delivery=Delivery.LINK)
