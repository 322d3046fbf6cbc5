"""Categories and subcategories by upstream's names, and what follows from where a service stands."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

from catalog.models import Category, Delivery, RateUnit, searched_names
from catalog.sync.spellings import NameBook, Pair
from upstream.reading.text import comparable, searchable


@dataclass(frozen=True)
class Names:
    """Ids of the categories and subcategories by upstream name, the words each adds to a service's search text, and
    how many pieces the rates of a category buy."""

    categories: dict[str, int]
    subcategories: dict[tuple[int, str], int]
    category_words: dict[int, str]
    subcategory_words: dict[int, str]
    rate_per: dict[int, int] = field(default_factory=dict)

    @cached_property
    def category_names(self) -> dict[int, str]:
        """Every category's upstream name by its id."""
        return {pk: name for name, pk in self.categories.items()}

    @cached_property
    def pairs(self) -> dict[int, Pair]:
        """Every subcategory by its id, as the names upstream knows it under."""
        names = self.category_names
        return {pk: (names[category_id], name) for (category_id, name), pk in self.subcategories.items()}

    def book(self) -> NameBook:
        """Return what upstream's spellings of these names stand for; of names that look alike the oldest counts."""
        oldest_first = sorted(self.categories, key=self.categories.__getitem__)
        pairs = [self.pairs[pk] for pk in sorted(self.pairs)]
        return NameBook(oldest_first, pairs)

    def search_text(
        self,
        name: str,
        display_name: str,
        category_id: int,
        subcategory_id: int | None,
        translated: Mapping[str, str] = MappingProxyType({}),
    ) -> str:
        """Return the text that a search looks through; `translated` are the service's names by language."""
        subcategory = "" if subcategory_id is None else self.subcategory_words[subcategory_id]
        words = (name, display_name, *searched_names(translated), self.category_words[category_id], subcategory)
        return searchable(" ".join(filter(None, words)))


def own_names(*names: str) -> str:
    """Return the names that the shop itself gave a service as a search looks through them."""
    return " ".join(filter(None, names))


PRODUCT_WORDS = re.compile(
    r"\b(accounts?|e-?mails?|gmail|outlook|hotmail|yahoo|prox(y|ies)|vpns?|keys?|licen[cs]es?|gift ?cards?|"
    r"vouchers?|software|subscriptions?|аккаунт\w*|почт\w*|прокси|ключ\w*)\b"
)


def new_category(name: str, *, has_products: bool) -> Category:
    """Return an unsaved category: goods go where the shop delivers them and are priced each, work is done at a link.

    `has_products` says that upstream itself calls one of its services a product; without that the name decides.
    """
    if has_products or PRODUCT_WORDS.search(comparable(name)):
        return Category(name=name, delivery=Delivery.GOODS, rate_per=RateUnit.ONE)
    return Category(name=name, delivery=Delivery.LINK)
