"""What upstream offers: every service, the categories, and who is in which subcategory."""

from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextvars import copy_context
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from django.conf import settings

from catalog.sync.gc_paused import gc_paused
from catalog.sync.runs import SyncRejected
from catalog.sync.spellings import NameBook, Pair
from upstream.client import Client
from upstream.errors import Unavailable, UpstreamError
from upstream.money import micros_from_decimal
from upstream.protocol.wire import CategoryRow, Rows, ServicePage, ServiceRow

LONGEST = {"category": 200, "name": 500, "type": 100}  # the columns of catalog.models

Progress = Callable[[str, int, int], None]  # stage, steps done, steps in all


class UpstreamOffer(NamedTuple):
    """One service as upstream offers it now, checked, money in upstream micros."""

    upstream_id: int
    category: str
    name: str
    type: str
    rate_upstream_micros: int
    min_quantity: int
    max_quantity: int
    refill: bool
    cancel: bool
    stock: int | None
    description: str


class Placement(NamedTuple):
    """Which categories were asked for their subcategories, and where each of their services belongs."""

    asked: set[str]
    pair_of: dict[int, Pair]


@dataclass
class CatalogAnswer:
    """One complete answer; `offers` is keyed by upstream id.

    Names are those of the name book; `asked_as` has what the filters of upstream take where that is not the same.
    `set_aside` names rows of services, `set_aside_besides` what could not be read elsewhere, and rows that came twice.
    """

    total: int
    offers: dict[int, UpstreamOffer]
    subcategories: dict[str, list[str]]
    set_aside: list[dict[str, str]]
    product_categories: set[str] = field(default_factory=set)
    asked_as: dict[Pair, list[Pair]] = field(default_factory=dict)
    set_aside_besides: list[dict[str, str]] = field(default_factory=list)

    @property
    def set_aside_ids(self) -> set[int]:
        return {int(row["service"]) for row in self.set_aside if row["service"].isdecimal()}


class WrongCurrency(UpstreamError):
    """Upstream's money is not in UPSTREAM_CURRENCY: every price would be wrong."""

    def __init__(self, currency: str) -> None:
        super().__init__(
            f"Upstream's balance is in {currency}, but UPSTREAM_CURRENCY is {settings.UPSTREAM_CURRENCY}. "
            "Nothing was synced: every price would be wrong."
        )


def read_catalog(client: Client, book: NameBook, progress: Progress) -> CatalogAnswer:
    """Fetch and check everything but the subcategories, in three requests or as many as there are pages.

    Raises SyncRejected for an empty or incomplete answer, WrongCurrency, UpstreamError.
    """
    progress("services", 0, 3)
    set_aside = _check_currency(client)
    progress("services", 1, 3)
    categories = client.categories()
    subcategories, asked_as = _joined(categories, book)
    if not subcategories:
        raise SyncRejected("The list of categories is empty.")
    progress("services", 2, 3)
    page = read_whole(client, "services")
    with gc_paused():
        answer = _checked(page, subcategories, book)
    answer.asked_as = asked_as
    answer.set_aside_besides += set_aside + [
        {"service": f"categories: {row.service}", "field": row.field, "problem": row.problem}
        for row in categories.set_aside
    ]
    progress("services", 3, 3)
    return answer


def _check_currency(client: Client) -> list[dict[str, str]]:
    """Return what could not be read of the balance. One that names no currency says nothing. Raises WrongCurrency."""
    try:
        currency = client.balance().currency
    except Unavailable as error:
        if not error.unreadable:
            raise
        return [{"service": "balance", "field": "balance", "problem": error.text}]
    if currency not in ("", settings.UPSTREAM_CURRENCY):
        raise WrongCurrency(currency)
    return []


def _joined(categories: Rows[CategoryRow], book: NameBook) -> tuple[dict[str, list[str]], dict[Pair, list[Pair]]]:
    """Return the subcategories of each category, all its spellings together, and how to ask for those of a pair."""
    subcategories: dict[str, list[str]] = {}
    asked_as: dict[Pair, list[Pair]] = {}
    for row in categories:
        category = book.category(row.category)
        names = subcategories.setdefault(category, [])
        for shown, sent in row.spellings():
            name = book.subcategory(category, shown)
            names.append(name)
            asked_as.setdefault((category, name), []).append((row.category_sent or row.category, sent))
    usual = [pair for pair, sent in asked_as.items() if sent == [pair]]
    for pair in usual:
        del asked_as[pair]
    return {category: list(dict.fromkeys(names)) for category, names in subcategories.items()}, asked_as


def read_subcategories(
    client: Client, answer: CatalogAnswer, pairs: list[Pair], book: NameBook, progress: Progress
) -> dict[int, Pair]:
    """Ask who is in each (category, subcategory), several at a time; return upstream id → pair.

    A service that is in two subcategories of its category belongs to the one that upstream names first.
    Raises SyncRejected for an incomplete answer, UpstreamError; what was not asked yet is not asked then.
    """
    found: dict[Pair, list[int]] = {}
    pool = ThreadPoolExecutor(settings.UPSTREAM_MAX_IN_FLIGHT, thread_name_prefix="sync")
    try:
        asked: dict[Future[list[int]], Pair] = {
            pool.submit(
                copy_context().run, _ids_in_subcategory, client, pair, answer.asked_as.get(pair, [pair]), book
            ): pair
            for pair in pairs
        }
        for done, ids in enumerate(as_completed(asked), start=1):
            found[asked[ids]] = ids.result()
            progress("subcategories", done, len(pairs))
    finally:
        pool.shutdown(cancel_futures=True)
    pair_of: dict[int, Pair] = {}
    for pair in pairs:
        for upstream_id in found[pair]:
            pair_of.setdefault(upstream_id, pair)
    return pair_of


def _ids_in_subcategory(client: Client, pair: Pair, spellings: list[Pair], book: NameBook) -> list[int]:
    what, ids = " / ".join(pair), []
    for category, subcategory in dict.fromkeys(spellings):
        # A name may be in several categories: both filters, always.
        page = read_whole(client, f"services of {what}", category=category, subcategory=subcategory)
        # A server that ignores the filter would put every service into every subcategory.
        ids += [row.service for row in page.services if book.category(row.category) == pair[0]]
    return ids


def _checked(page: ServicePage, subcategories: dict[str, list[str]], book: NameBook) -> CatalogAnswer:
    if not page.services and not page.set_aside:
        raise SyncRejected("The list of services is empty.")
    set_aside: list[dict[str, str]] = [
        {"service": row.service, "field": row.field, "problem": row.problem} for row in page.set_aside
    ]
    answer = CatalogAnswer(page.total, {}, subcategories, set_aside)
    micros: dict[Decimal, int] = {}  # many services share a rate
    for row in page.services:
        problem = _problem(row)
        if problem is None:
            rate_micros = micros.get(row.rate)
            if rate_micros is None:
                rate_micros = micros[row.rate] = micros_from_decimal(row.rate)
            if (twin := answer.offers.get(row.service)) is not None:
                problem = ("service", "is listed twice")
                if _offer(row, twin.category, rate_micros) == twin and book.category(row.category) == twin.category:
                    # The very same again costs nothing: it is named, and counts for nothing.
                    answer.set_aside_besides.append(_named(row, problem))
                    continue
            # Until upstream is clear, the dearer of two counts: the other one might be sold at a loss.
            if twin is None or rate_micros > twin.rate_upstream_micros:
                category = book.category(row.category)
                answer.offers[row.service] = _offer(row, category, rate_micros)
                if row.entity_type and row.entity_type.lower() == "product":
                    answer.product_categories.add(category)
        if problem is not None:
            set_aside.append(_named(row, problem))
    return answer


def _named(row: ServiceRow, problem: tuple[str, str]) -> dict[str, str]:
    return {"service": str(row.service), "field": problem[0], "problem": problem[1]}


def _problem(row: ServiceRow) -> tuple[str, str] | None:
    """Return the field that makes a readable row unusable, and why; None for a good row."""
    if row.rate <= 0:
        return "rate", f"is {row.rate}"
    if row.max < max(row.min, 1):
        return "min", f"is {row.min} and max is {row.max}"
    if len(row.name) > LONGEST["name"] or len(row.category) > LONGEST["category"] or len(row.type) > LONGEST["type"]:
        name = next(name for name, longest in LONGEST.items() if len(getattr(row, name)) > longest)
        return name, f"is longer than {LONGEST[name]} characters"
    return None


def _offer(row: ServiceRow, category: str, rate_micros: int) -> UpstreamOffer:
    return UpstreamOffer(
        row.service,
        category,
        row.name,
        row.type,
        rate_micros,
        row.min or 1,  # an order is at least one piece
        row.max,
        row.refill,
        row.cancel,
        row.stock,
        row.description,
    )


def pairs_of(categories: Iterable[str], subcategories: dict[str, list[str]]) -> list[Pair]:
    """Return the (category, subcategory) pairs of these categories, in upstream's order, each once."""
    return [(category, name) for category in categories for name in dict.fromkeys(subcategories.get(category, []))]


def read_whole(
    client: Client, what: str, *, category: str | None = None, subcategory: str | None = None
) -> ServicePage:
    """Return every row that matches, joined into one page; `what` names the list in words.

    Nothing says that two pages are of one moment, so whatever does not fit together is refused: a count that is not the
    `total`, a total, limit or number of pages that changed on the way, an id on two pages.
    Raises SyncRejected, UpstreamError.
    """
    first = client.services(category=category, subcategory=subcategory)
    if first.total_pages <= 1:
        _reject_incomplete(first, what)
        return first
    whole = ServicePage(list(first.services), list(first.set_aside), first.total, 1, first.total, 1)
    seen = {row.service for row in first.services}
    for number in range(2, first.total_pages + 1):
        page = client.services(page=number, limit=first.limit, category=category, subcategory=subcategory)
        position = (page.page, page.limit, page.total, page.total_pages)
        empty = not page.services and not page.set_aside
        if empty or position != (number, first.limit, first.total, first.total_pages):
            raise SyncRejected(f"The list of {what} changed while it was read: page {number} is of another list.")
        ids = {row.service for row in page.services}
        if twice := ids & seen:
            raise SyncRejected(f"The list of {what} moved while it was read: service {min(twice)} is on two pages.")
        seen |= ids
        whole.services.extend(page.services)
        whole.set_aside.extend(page.set_aside)
    _reject_incomplete(whole, what)
    return whole


def _reject_incomplete(page: ServicePage, what: str) -> None:
    count = len(page.services) + len(page.set_aside)
    if count != page.total:
        raise SyncRejected(f"The list of {what} is incomplete: {count} rows, where {page.total} are announced.")
