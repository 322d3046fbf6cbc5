"""What a visitor asks of a listing, read leniently: nonsense in the address shows the nearest sensible page."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_DOWN, Decimal
from typing import Any

from django.db import models
from django.http import QueryDict
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from catalog.titles.countries import is_country
from catalog.titles.facts import QUALITIES
from upstream.money import decimal_from_micros, micros_from_decimal
from upstream.reading.amounts import typed_amount, typed_quantity
from upstream.reading.text import line, visible

LONGEST_SEARCH = 200
LARGEST_ID = 2**63 - 1
LARGEST_QUANTITY = 10**15
LARGEST_PRICE = Decimal(10**9)
LARGEST_PAGE = 10**6
MICRO = Decimal("0.000001")
_TRUE = {"1", "on", "true", "yes"}


# From which a list can be asked for: days of refill or warranty, pieces a day.
FACT_STEPS = {
    "days": (1, 7, 15, 30, 60, 90, 180, 365, 36_500),
    "speed": (500, 1000, 5000, 10_000, 50_000, 100_000, 500_000, 1_000_000),
}


class Sort(models.TextChoices):
    """In which order a listing stands. Prices are compared per piece, so that both rate units can share a listing."""

    USUAL = "usual", _("Recommended")
    CHEAPEST = "cheapest", _("Price: low to high")
    DEAREST = "dearest", _("Price: high to low")
    NAME = "name", _("By name")
    NEWEST = "newest", _("Newest first")
    POPULAR = "popular", _("Best-selling")
    FASTEST = "fastest", _("Fastest first")


@dataclass(frozen=True)
class ListingQuery:
    """Everything the address of a listing can say. Prices are micros of the shop's currency for 1,000 pieces.

    `after` and `before` name a row, as `catalog.browse.paging` writes it: beyond the numbered pages one begins there.
    """

    words: str = ""
    category_id: int | None = None
    subcategory_id: int | None = None
    price_from_micros: int | None = None
    price_to_micros: int | None = None
    quantity: int | None = None
    refill: bool = False
    cancel: bool = False
    in_stock: bool = False
    quality: str = ""
    country: str = ""
    days: int | None = None
    speed: int | None = None
    sort: Sort = Sort.USUAL
    page: int = 1
    after: str = ""
    before: str = ""
    exact: bool = False  # the very words, even where they find nothing

    @classmethod
    def read(cls, params: QueryDict) -> "ListingQuery":
        """Read the query string; what cannot be understood counts as not given, what is too large as the largest."""
        minimum, maximum = _amount(params.get("from", "")), _amount(params.get("to", ""))
        if minimum is not None and maximum is not None and minimum > maximum:
            minimum, maximum = maximum, minimum
        sort = params.get("sort", "")
        after, before = (_clean(params.get(name, ""))[:600] for name in ("after", "before"))
        return cls(
            words=line(_clean(params.get("q", "")))[:LONGEST_SEARCH].strip(),
            category_id=whole_number(params.get("cat", "")),
            subcategory_id=whole_number(params.get("sub", "")),
            price_from_micros=minimum or None,
            price_to_micros=maximum,
            quantity=_quantity(params.get("quantity", "")),
            refill=params.get("refill", "").lower() in _TRUE,
            cancel=params.get("cancel", "").lower() in _TRUE,
            in_stock=params.get("stock", "").lower() in _TRUE,
            quality=_one_of(params.get("quality", ""), QUALITIES),
            country=country if is_country(country := params.get("country", "").lower()) else "",
            days=_step("days", params.get("days", "")),
            speed=_step("speed", params.get("speed", "")),
            sort=Sort(sort) if sort in Sort.values else Sort.USUAL,
            page=max(1, min(_digits(params.get("page", "")) or 1, LARGEST_PAGE)),
            after=after,
            before="" if after else before,
            exact=params.get("exact", "").lower() in _TRUE,
        )

    def with_(self, **changes: Any) -> "ListingQuery":
        """Return the same question with these changes, on its first page unless a page is named."""
        return replace(self, **{"page": 1, "after": "", "before": "", **changes})

    @property
    def is_counted_ahead(self) -> bool:
        """Whether the counts cached for the whole catalog answer it: no words, no price, no quantity, no facts."""
        return self.is_about_facts and not self.asks_for_facts

    @property
    def asks_for_facts(self) -> bool:
        """Whether a fact narrows the list."""
        return bool(self.quality or self.country or self.days or self.speed)

    @property
    def is_about_facts(self) -> bool:
        """Whether nothing but facts, flags and a place narrows the list."""
        return not self.words and not self.asks_openly

    @property
    def is_about_words(self) -> bool:
        """Whether words narrow the list, and nothing else but flags and a place."""
        return bool(self.words) and not self.asks_openly and not self.asks_for_facts

    @property
    def asks_openly(self) -> bool:
        """Whether a price or a quantity narrows the list: what cannot be counted ahead."""
        return (self.quantity, self.price_from_micros, self.price_to_micros) != (None, None, None)

    def encode(self) -> str:
        """Return the query string of this question: always the same for the same one, and empty for the plain list."""
        pairs = {
            "q": self.words,
            "cat": self.category_id,
            "sub": self.subcategory_id,
            "from": price_text(self.price_from_micros),
            "to": price_text(self.price_to_micros),
            "quantity": self.quantity,
            "refill": "1" if self.refill else "",
            "cancel": "1" if self.cancel else "",
            "stock": "1" if self.in_stock else "",
            "quality": self.quality,
            "country": self.country,
            "days": self.days,
            "speed": self.speed,
            "sort": "" if self.sort == Sort.USUAL else self.sort.value,
            "page": "" if self.page == 1 else self.page,
            "after": self.after,
            "before": self.before,
            "exact": "1" if self.exact else "",
        }
        return urlencode([(name, value) for name, value in pairs.items() if value not in ("", None)])


def price_text(micros: int | None) -> str:
    """Return a price as the form's fields show and read it: "" for none, "1.5" for 1,500,000."""
    return "" if micros is None else f"{decimal_from_micros(micros).normalize():f}"


def whole_number(text: str) -> int | None:
    """Return the id that a text is, or None."""
    number = _digits(text)
    return number if number is not None and number <= LARGEST_ID else None


def _one_of(text: str, known: Sequence[str]) -> str:
    return text if text in known else ""


def _step(name: str, text: str) -> int | None:
    """Return the largest step that is not above what was asked for."""
    asked = _digits(text)
    return None if not asked else max((step for step in FACT_STEPS[name] if step <= asked), default=None)


def _clean(text: str) -> str:
    # PostgreSQL takes no NUL in a text, and no driver a lone half of a surrogate pair.
    return text.replace("\x00", " ").encode("utf-8", "ignore").decode()


def _digits(text: str) -> int | None:
    return int(text[:30]) if text.isascii() and text.isdigit() else None


def _quantity(text: str) -> int | None:
    number = typed_quantity(text)
    if number is None:  # nothing is bought here: what parts thousands in any language may stand
        number = _digits(re.sub(r"[\s,._']", "", visible(text)))
    return min(number, LARGEST_QUANTITY) if number and number > 0 else None


def _amount(text: str) -> int | None:
    found = typed_amount(re.sub(r"[$€₽£]", "", text))
    if found is None or found < 0:
        return None
    return micros_from_decimal(
        min(found.quantize(MICRO, ROUND_DOWN) if found < LARGEST_PRICE else found, LARGEST_PRICE)
    )
