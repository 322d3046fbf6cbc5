"""The catalog of services, made from a seed and a size: the same seed and size give the same catalog."""

import random
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from itertools import accumulate, islice
from typing import Any

import msgspec

from upstream.sandbox.sample_words import (
    AGES,
    CONDITIONS,
    EXTRAS,
    GEOS,
    GOODS,
    NETWORKS,
    QUALITIES,
    REFILLS,
    SPEEDS,
    TERMS,
    Goods,
    Work,
)

MAX_SERVICES = 100_000
SMM = "smm"
PRODUCT = "product"
PIECES_PER_RATE = {SMM: 1000, PRODUCT: 1}

# The extras that live replies are said to carry on some rows, after the documented fields.
DOCUMENTED_FIELDS = (
    "service", "name", "type", "category", "rate", "min", "max", "refill", "cancel", "stock",
)  # fmt: skip
EXTRA_FIELDS = ("id", "entityType", "description", "imageUrl")
# What only the sandbox knows: never on the wire.
INNER_FIELDS = ("subcategory", "kind", "rate_per")


class Item(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One service. `rate` is text and buys `rate_per` pieces; `stock` None means that the field is left out."""

    service: int
    name: str
    type: str
    category: str
    rate: str
    min: int
    max: int
    refill: bool
    cancel: bool
    stock: int | None
    subcategory: str
    kind: str
    rate_per: int
    extras: dict[str, str] | None = None

    def fields(self) -> dict[str, Any]:
        """Return the row as a dict: the documented fields first, then extras, then what only the sandbox knows."""
        row: dict[str, Any] = {name: getattr(self, name) for name in DOCUMENTED_FIELDS}
        row.update(self.extras or {})
        row.update((name, getattr(self, name)) for name in INNER_FIELDS)
        return row


def wire_row(fields: dict[str, Any]) -> dict[str, Any]:
    """Return what `services` sends of a row; a stock of None is left out."""
    row = {name: value for name, value in fields.items() if name not in INNER_FIELDS}
    if row.get("stock", ...) is None:
        del row["stock"]
    return row


def kind_of(category: str) -> str:
    """Return `product` for a category of goods, else `smm`."""
    return PRODUCT if any(goods.category == category for goods in GOODS) else SMM


def first_subcategory(category: str) -> str:
    """Return the subcategory that a service added by hand falls into."""
    for goods in GOODS:
        if goods.category == category:
            return goods.subcategories[0]
    for network, works in NETWORKS:
        if network == category:
            return works[0].name
    return "Other"


def _categories() -> list[tuple[str, tuple[Work, ...] | Goods]]:
    """All categories, the goods strewn among the networks, so that a small catalog has both."""
    networks = iter(NETWORKS)
    mixed: list[tuple[str, tuple[Work, ...] | Goods]] = []
    for goods in GOODS:
        mixed += islice(networks, 2)
        mixed.append((goods.category, goods))
    return mixed + list(networks)


CATEGORIES = _categories()


@lru_cache(maxsize=4)
def generate(size: int, seed: int) -> tuple[Item, ...]:
    """Return services 1 to `size`; services 1 and 2 are the two of the document.

    The first few are one of each sort (link, comments, product, unknown type, sold out), so that the smallest
    catalogs have them. Raises ValueError for a size outside 1..100,000.
    """
    if not 1 <= size <= MAX_SERVICES:
        raise ValueError(f"services: {size} is not between 1 and {MAX_SERVICES}")
    return tuple(_items(size, random.Random(f"catalog:{seed}")))


def _items(size: int, rng: random.Random) -> Iterator[Item]:
    head = _head()
    yield from head[:size]
    used = CATEGORIES[: max(1, min(len(CATEGORIES), size // 5))]
    # As in real catalogs, the first networks have by far the most services.
    weights = list(accumulate(1000 // (rank + 3) for rank in range(len(used))))
    for number in range(len(head) + 1, size + 1):
        place = number - len(head) - 1
        category, stuff = used[place] if place < len(used) else rng.choices(used, cum_weights=weights)[0]
        if isinstance(stuff, Goods):
            yield _product(number, category, rng.choice(stuff.subcategories), stuff.cents, rng)
        else:
            work = rng.choice(stuff)
            if work.type == "Poll" and rng.random() < 0.9:  # a type nobody can order stays rare
                work = stuff[0]
            yield _smm(number, category, work, rng)


def _head() -> list[Item]:
    followers, comments = "Instagram Followers", "Instagram Comments"
    poll, vpn = "Telegram Poll Votes | Worldwide", "NordVPN | 12 Months | Full Access"
    gmail = "Gmail | 2019 | Phone Verified"
    views = "TikTok Views | Instant"
    smm, product = (SMM, 1000), (PRODUCT, 1)
    return [
        Item(1, followers, "Default", "Instagram", "0.50", 100, 10000, True, False, 10000, "Followers", *smm),
        Item(2, comments, "Custom Comments", "Instagram", "5.00", 10, 1000, False, False, 1000, "Comments", *smm),
        Item(3, gmail, "Default", "Email Accounts", "0.45", 1, 100, False, False, 420, "Gmail", *product),
        Item(4, poll, "Poll", "Telegram", "1.80", 100, 5000, False, False, 5000, "Poll Votes", *smm),
        Item(5, vpn, "Default", "VPN", "3.2000", 1, 20, False, False, 0, "NordVPN", *product),
        Item(6, views, "Default", "TikTok", "0.0125", 100, 1000000, False, True, 1000000, "Views", *smm),
    ]


def _smm(number: int, category: str, work: Work, rng: random.Random) -> Item:
    refill_days = rng.choice(REFILLS)
    quality, geo, speed = rng.choice(QUALITIES), rng.choice(GEOS), rng.choice(SPEEDS)
    name = f"{category} {work.name} | {quality} | {geo} | {speed}"
    if refill_days:
        name += f" | {refill_days} Days Refill"
    if work.type == "Custom Comments":
        minimum, maximum = rng.choice((1, 5, 10)), rng.choice((200, 500, 1000, 5000))
    else:
        minimum, maximum = rng.choice((10, 20, 50, 100)), rng.choice((1000, 5000, 10_000, 50_000, 100_000, 1_000_000))
    stock = maximum if rng.random() < 0.6 else maximum * rng.randint(2, 20)
    if rng.random() < 0.015:
        stock = 0
    about = f"<p>Start: 0-1 hour<br>Speed: {speed}<br>Quality: {quality}</p>"
    return Item(
        number, name, work.type, category, _rate(work.cents, rng), minimum, maximum,
        refill_days > 0, rng.random() < 0.3, stock, work.name, SMM, 1000, _extras(SMM, about, rng),
    )  # fmt: skip


def _product(number: int, category: str, subcategory: str, cents: int, rng: random.Random) -> Item:
    if category == "Email Accounts":
        words = (subcategory, rng.choice(AGES), rng.choice(EXTRAS), rng.choice(GEOS))
    elif category.endswith("Accounts"):
        words = (f"{category} {subcategory}", rng.choice(AGES), rng.choice(EXTRAS), rng.choice(GEOS))
    else:
        words = (subcategory, rng.choice(TERMS), rng.choice(CONDITIONS), rng.choice(GEOS))
    name = " | ".join(words)
    maximum = rng.choice((5, 10, 50, 100, 500))
    stock = 0 if rng.random() < 0.05 else rng.randint(maximum, maximum * 8)
    about = f"<ul><li>{subcategory}</li><li>Delivered by e-mail</li><li>Replacement within 24 hours</li></ul>"
    return Item(
        number, name, "Default", category, _rate(cents, rng), 1, maximum,
        False, False, stock, subcategory, PRODUCT, 1, _extras(PRODUCT, about, rng),
    )  # fmt: skip


def _rate(cents: int, rng: random.Random) -> str:
    decimals = rng.choice((2, 2, 3, 4))
    hundredths_of_cents = cents * rng.randint(40, 260)
    step = 10 ** (4 - decimals)
    kept = max(1, hundredths_of_cents // step)
    return str(Decimal(kept).scaleb(-decimals))


def _extras(kind: str, description: str, rng: random.Random) -> dict[str, str] | None:
    if rng.random() < 0.7:
        return None
    extras = {"id": f"{rng.getrandbits(96):024x}", "entityType": kind, "description": description}
    if kind == PRODUCT:
        extras["imageUrl"] = f"https://cdn.example.com/{extras['id']}.png"
    return extras
