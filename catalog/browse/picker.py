"""Choosing one service out of many without leaving a page: what is offered for the letters typed so far."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.templatetags.money import money
from catalog.browse.category_index import CategoryIndex, ShownCategory
from catalog.browse.quality import speed_in_lists
from catalog.browse.rows import LEFT_OUT, Pricing, obstacle_of, unit_of
from catalog.browse.search import first_found
from catalog.models import Service
from catalog.titles.words import chips_of
from catalog.words.vocabulary import closest_words
from upstream.reading.text import comparable, line

LONGEST = 100
MAX_OFFERED = 30
MAX_LISTED = 500  # for those who choose from a plain list, of a category


@dataclass(frozen=True)
class Choice:
    """One service as it is offered: texts, ready to be shown; `speed` is markup and may be empty, as `obstacle` may."""

    pk: int
    title: str
    place: str
    facts: str
    price: str
    unit: str
    speed: str
    obstacle: str
    tone: str


def choices_for(typed: str, category: ShownCategory | None, user: User | None, index: CategoryIndex) -> list[Choice]:
    """Return what fits the words, in one category or in all; without words the first ones of the category.

    Two queries, one more for each try where the words seem to be mistyped, and those of the price book.
    """
    words = line(typed.replace("\x00", " "))[:LONGEST]
    ids = category.ids if category is not None else ()
    if comparable(words):
        services = first_found(words, MAX_OFFERED, category_ids=ids)
        for meant in closest_words(words)[:2] if not services else ():
            services = services or first_found(meant, MAX_OFFERED, category_ids=ids)
    else:
        services = _first_of(category, MAX_OFFERED) if category is not None else []
    return offered(services, user, index)


def listed(category: ShownCategory, user: User | None, index: CategoryIndex) -> list[Choice]:
    """Return everything on sale in a category, up to MAX_LISTED, in its own order."""
    return offered(_first_of(category, MAX_LISTED), user, index)


def offered(services: Iterable[Service], user: User | None, index: CategoryIndex) -> list[Choice]:
    """Return services, with their categories loaded, as they are offered to this reader."""
    pricing, language = Pricing(user), get_language() or "en"
    choices = []
    for service in services:
        category = index.category(service.category_id)
        obstacle, tone = obstacle_of(service)
        certain = service.rate_confirmed
        choices.append(
            Choice(
                pk=service.pk,
                title=service.short_name,
                place=category.title if category is not None else "",
                facts=" · ".join(chip.label for chip in chips_of(service.facts, without=LEFT_OUT)),
                price=money(pricing.rate_micros(service)) if certain else _("Price not confirmed"),
                unit=unit_of(service.rate_per, language) if certain else "",
                speed=speed_in_lists(service.done_seconds, service.completed_percent, language),
                obstacle=obstacle,
                tone=tone,
            )
        )
    return choices


def _first_of(category: ShownCategory, maximum: int) -> list[Service]:
    on_sale = Service.objects.on_sale().filter(category__in=category.ids)
    return list(on_sale.select_related("category").order_by("position", "pk")[:maximum])
