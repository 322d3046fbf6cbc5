"""The lines of a list of services: everything that is to be said of each is worked out here, not in the template."""

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from html import escape

from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy, ngettext, pgettext
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.templatetags.money import money
from catalog.browse.category_index import CategoryIndex
from catalog.browse.kept_lines import Lines, keep
from catalog.browse.newness import new_since
from catalog.browse.number_format import write_number
from catalog.browse.paging import Window
from catalog.browse.quality import speed_in_lists
from catalog.caching.prerendered import prerendered
from catalog.models import Fact, OrderForm, Service
from catalog.pricing import PriceBook, price_book
from catalog.titles.words import chips_of, fact_in_words

ANY_NUMBER = 987654321
SIGN_IN_URL = "\ue0f2"  # of Unicode's private use area, as the marks of `catalog.caching.prerendered`
OBSTACLES = {
    "sold_out": (gettext_lazy("Sold out"), "bad"),
    "paused": (gettext_lazy("Paused"), "warn"),
    "unknown": (gettext_lazy("Not available yet"), "warn"),
    "uncertain": (gettext_lazy("Checking the price"), "warn"),
    "too_few": (gettext_lazy("Too few left"), "bad"),
}
# What a row has no room for, or says already.
LEFT_OUT = (Fact.MOST, Fact.LEAST)
FIELDS = ("pk", "url", "title", "facts", "badges", "speed", "price", "unit", "action", "favorite_url")


class Pricing:
    """What lists show as prices: the stored rates to visitors, the price book's to customers of a group.

    A rate that has not been stored yet comes from the price book too. The book is opened at the first need.
    """

    def __init__(self, user: User | None) -> None:
        self._user = user
        self._in_a_group = user is not None and user.group_id is not None
        self._book: PriceBook | None = None

    def rate_micros(self, service: Service) -> int:
        """Return the rate this reader pays, in micros for `service.rate_per` pieces."""
        if service.selling_rate_micros and not self._in_a_group:
            return service.selling_rate_micros
        if self._book is None:
            self._book = price_book(self._user)
        return self._book.rate_micros(service)


def write_rows(
    window: Window,
    pricing: Pricing,
    category_index: CategoryIndex,
    *,
    sign_in_url: str,
    names_categories: bool,
    kept: Lines | None,
    now: datetime,
) -> SafeString:
    """Return the lines of this page in the reader's language; favorite buttons lead visitors to `sign_in_url`.

    What is `kept` is not written again; what is written at the stored price is put there.
    """
    lines = _lines_of(window.rows, pricing, category_index, bool(sign_in_url), names_categories, now)
    if kept is not None:
        for service in window.rows:
            if service.selling_rate_micros:
                keep(kept, service.pk, lines[service.pk])
    order = [service.pk for service in window.rows] if window.ids is None else window.ids
    all_lines = lines if not kept else {**{pk: kept[pk] for pk in order if pk in kept}, **lines}
    text = "".join(all_lines[pk] for pk in order if pk in all_lines)
    return mark_safe(text.replace(SIGN_IN_URL, escape(sign_in_url)))  # noqa: S308 - each is safe


def _lines_of(
    services: Iterable[Service],
    pricing: Pricing,
    category_index: CategoryIndex,
    for_visitors: bool,
    names_categories: bool,
    now: datetime,
) -> dict[int, str]:
    """Return the line of each by its id, for visitors with SIGN_IN_URL in the place of that."""
    if for_visitors:
        form = prerendered("components/service_row.html", *FIELDS, "sign_in_url")
    else:
        form = prerendered("components/service_row.html", *FIELDS)
    order_url, favorite_url = _address_of("orders:place"), _address_of("catalog:favorite")
    language = get_language() or "en"
    actions = {True: pgettext("verb", "Order"), False: _("View")}
    no_price = _("Price not confirmed")
    since = new_since(category_index.opened_at, now)
    lines: dict[int, str] = {}
    for service in services:
        certain, new = service.rate_confirmed, since is not None and service.first_seen_at > since
        values = {
            "pk": service.pk,
            "url": order_url.format(service.pk),
            "title": service.short_name,
            "facts": _places(service, category_index, names_categories)
            + _quantities(service.min_quantity, service.max_quantity, service.stock, language),
            "badges": _chips(service)
            + _badges(_obstacle(service), new, _refill(service, language), service.cancel, language),
            "speed": speed_in_lists(service.done_seconds, service.completed_percent, language),
            "price": money(pricing.rate_micros(service)) if certain else no_price,
            "unit": unit_of(service.rate_per, language) if certain else "",
            "action": actions[service.orderable],
            "favorite_url": favorite_url.format(service.pk),
            "sign_in_url": SIGN_IN_URL,
        }
        lines[service.pk] = form.fill(values)
    return lines


def _address_of(name: str) -> str:
    """Return the address with one number as a format: to reverse it for each row would take half of the row's time."""
    return reverse(name, args=[ANY_NUMBER]).replace(str(ANY_NUMBER), "{}")


def _places(service: Service, category_index: CategoryIndex, names_categories: bool) -> SafeString:
    category = category_index.category(service.category_id)
    if category is None:
        return SafeString()
    subcategory = category_index.subcategory(service.subcategory_id)
    shown = [category.title] if names_categories else []
    return _facts(*shown, *([subcategory.title] if subcategory else []))


def _facts(*facts: str) -> SafeString:
    return mark_safe("".join(f"<span>{escape(fact)}</span>" for fact in facts))  # noqa: S308 - escaped


def _refill(service: Service, language: str) -> str:
    """Return what the badge of refill says, with its days where they are known; "" where there is none."""
    days = service.facts.get(Fact.REFILL)
    return _refill_words(days or None, language) if service.refill else ""


@lru_cache(maxsize=2000)
def _refill_words(days: int | None, _language: str) -> str:
    return fact_in_words(Fact.REFILL, days) if days else _("Refill")


def _chips(service: Service) -> SafeString:
    without = (*LEFT_OUT, Fact.REFILL) if service.refill else LEFT_OUT  # its badge says it
    labels = tuple(chip.label for chip in chips_of(service.facts, without=without))
    return _chip_markup(labels) if labels else SafeString()


@lru_cache(maxsize=10_000)
def _chip_markup(labels: tuple[str, ...]) -> SafeString:
    # Components are rendered once for each set of words: most services share theirs with many others.
    texts = [render_to_string("components/fact_chip.html", {"label": label}) for label in labels]
    return mark_safe("".join(texts))  # noqa: S308 - each is safe


def _obstacle(service: Service) -> str:
    """Return why a service cannot be had, as a key of OBSTACLES; nothing when it can."""
    if service.sold_out:
        return "sold_out"
    if service.paused_because:
        return "paused"
    if service.order_form == OrderForm.UNKNOWN:
        return "unknown"
    if service.too_uncertain:
        return "uncertain"
    return "too_few" if service.max_orderable < service.min_quantity else ""


# What is said with the same few numbers and words in row after row is composed once for each language.


@lru_cache(maxsize=10_000)
def _quantities(minimum: int, maximum: int, stock: int | None, _language: str) -> SafeString:
    if minimum == maximum:
        quantities = ngettext("%(shown)s piece", "%(shown)s pieces", minimum) % {"shown": write_number(minimum)}
    else:
        quantities = f"{write_number(minimum)}–{write_number(maximum)}"
    left = [_("%(stock)s in stock") % {"stock": write_number(stock)}] if stock else []
    return _facts(quantities, *left)


@lru_cache(maxsize=20)
def unit_of(rate_per: int, _language: str) -> str:
    """Return how many pieces a rate buys, in words."""
    return _("each") if rate_per == 1 else _("per %(pieces)s") % {"pieces": write_number(rate_per)}


def obstacle_of(service: Service) -> tuple[str, str]:
    """Return in a word why a service cannot be had, and the tone of its badge; nothing when it can."""
    words, tone = OBSTACLES.get(_obstacle(service), ("", ""))
    return str(words), tone


@lru_cache(maxsize=2000)
def _badges(obstacle: str, new: bool, refill: str, cancel: bool, _language: str) -> SafeString:
    badges = [(str(OBSTACLES[obstacle][0]), OBSTACLES[obstacle][1], "")] if obstacle else []
    if new:
        badges.append((pgettext("service", "New"), "busy", ""))
    if refill:
        badges.append((refill, "good", "refill"))
    if cancel:
        badges.append((_("Can be canceled"), "", "back"))
    template = "components/badge.html"
    texts = [render_to_string(template, {"label": label, "tone": tone, "icon": icon}) for label, tone, icon in badges]
    return mark_safe("".join(texts))  # noqa: S308 - each is safe
