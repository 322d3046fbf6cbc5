"""What the page of a service says of it beside its form: what one gets, how it comes, what happens if it fails."""

import re
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from catalog.browse.price_history import PriceHistory, price_history
from catalog.browse.rows import Pricing
from catalog.browse.similar import SimilarService, similar_services
from catalog.models import Delivery, Fact, Service
from catalog.titles.facts import LIFETIME_DAYS, Facts
from catalog.titles.warranty import LIFETIME_HOURS, facts_with_warranty, warranty_hours
from catalog.titles.words import Chip, chips_of, days_in_words, fact_in_words, span_in_words

_PART_WORDS = {
    "login": gettext_lazy("login"),
    "log": gettext_lazy("login"),
    "user": gettext_lazy("user name"),
    "username": gettext_lazy("user name"),
    "pass": gettext_lazy("password"),
    "password": gettext_lazy("password"),
    "mail": gettext_lazy("email address"),
    "email": gettext_lazy("email address"),
    "e-mail": gettext_lazy("email address"),
    "emailpass": gettext_lazy("password of the email"),
    "mailpass": gettext_lazy("password of the email"),
    "recovery": gettext_lazy("recovery email"),
    "2fa": gettext_lazy("2FA key"),
    "phone": gettext_lazy("phone number"),
    "cookie": gettext_lazy("cookies"),
    "cookies": gettext_lazy("cookies"),
    "token": gettext_lazy("token"),
}


@dataclass(frozen=True)
class Point:
    """One thing that is said of a service; `code` stands in front of the text, letter by letter."""

    title: str
    text: str
    code: str = ""


@dataclass(frozen=True)
class ProductPage:
    """Everything that the left side of a service's page shows besides what its row in the catalog says."""

    chips: list[Chip]
    full_title: str  # where the page shows a shorter one
    points: list[Point]
    similar: list[SimilarService]
    history: PriceHistory | None
    regular_prices: bool  # the history shows prices that this reader does not pay


def product_page(service: Service, user: User | None, *, today: date) -> ProductPage:
    """Return what the page says; two queries. Nothing of it is the reader's own but the group's prices.

    Needs category and subcategory loaded.
    """
    full = service.title
    return ProductPage(
        chips=chips_of(service.facts),
        full_title="" if full == service.short_name else full,
        points=_points(service, facts_with_warranty(service)),
        similar=similar_services(service, Pricing(user)),
        history=price_history(service, today=today) if service.rate_confirmed else None,
        regular_prices=user is not None and user.group_id is not None,
    )


def _points(service: Service, facts: Facts) -> list[Point]:
    goods = service.delivery != Delivery.LINK
    points = []
    if fact := facts.get(Fact.FORMAT):
        points.append(Point(_("Format"), _format(fact), fact))
    points.append(Point(_("Delivery"), _delivery(service)))
    announced = [fact_in_words(key, facts[key]) for key in (Fact.START, Fact.SPEED) if key in facts]
    if announced:
        points.append(Point(_("Announced speed"), ", ".join(announced)))
    points.append(
        Point(_("Warranty"), _goods_warranty(warranty_hours(service, facts)) if goods else _refill(service, facts))
    )
    return points


def _format(written: str) -> str:
    parts = [part.strip() for part in re.split(r"[:;]", written) if part.strip()]
    words = [str(_PART_WORDS.get(part.lower(), part)) for part in parts]
    return _("One line for each piece: %(parts)s.") % {"parts": ", ".join(words)}


def _delivery(service: Service) -> str:
    if service.delivery == Delivery.VAULT:
        return _("Your goods appear on the page of your order, and only you can see them.")
    if service.delivery == Delivery.EMAIL:
        return _("Your goods are sent to the email address you give us.")
    return _("We work on the link you give us. You can follow the progress on the page of your order.")


def _goods_warranty(hours: int | None) -> str:
    if not hours:
        return _("No warranty. Anything we can't deliver is refunded to your balance.")
    if hours >= LIFETIME_HOURS:
        return _("Covered for as long as it runs. If something doesn't work, report it on the page of your order.")
    words = _(
        "Covered for %(time)s after delivery. If something doesn't work, report it within that time on the page of "
        "your order."
    )
    return words % {"time": span_in_words(hours * 60)}


def _refill(service: Service, facts: Facts) -> str:
    days: Any = facts.get(Fact.REFILL)
    if days is None and facts.get(Fact.WARRANTY):
        days = max(facts[Fact.WARRANTY] // 24, 1)
    if not service.refill:
        return _("No refill: if the number drops later, it isn't topped up.")
    if not days:
        return _("If the number drops, ask for a refill on the page of your order.")
    if days >= LIFETIME_DAYS:
        return _("If the number ever drops, ask for a refill on the page of your order.")
    words = _("If the number drops within %(days)s, ask for a refill on the page of your order.")
    return words % {"days": days_in_words(days)}
