"""Facts in the reader's language: chips of lists and pages, and the choices of filters."""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

from django.utils.formats import number_format
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _

from catalog.models import Fact
from catalog.titles.countries import country_name
from catalog.titles.facts import LIFETIME_DAYS, LIFETIME_MONTHS

QUALITY_WORDS = {
    "real": gettext_lazy("Real"),
    "high": gettext_lazy("High quality"),
    "premium": gettext_lazy("Premium"),
    "mixed": gettext_lazy("Mixed"),
    "old": gettext_lazy("Old accounts"),
    "active": gettext_lazy("Active"),
    "economy": gettext_lazy("Economy"),
    "organic": gettext_lazy("Organic"),
    "bots": gettext_lazy("Bots"),
    "low": gettext_lazy("Low quality"),
}
INCLUDED_WORDS = {
    "2fa": gettext_lazy("2FA"),
    "phone": gettext_lazy("Phone verified"),
    "email": gettext_lazy("Email verified"),
    "recovery": gettext_lazy("With recovery email"),
    "cookies": gettext_lazy("With cookies"),
    "full_access": gettext_lazy("Full access"),
    "private": gettext_lazy("Private"),
    "shared": gettext_lazy("Shared"),
    "renewable": gettext_lazy("Renewable"),
    "new_key": gettext_lazy("New key"),
    "instant_delivery": gettext_lazy("Instant delivery"),
    "full_warranty": gettext_lazy("Full warranty"),
}
PACE_WORDS = {"fast": gettext_lazy("Fast"), "slow": gettext_lazy("Gradual")}
# In which order chips stand; limits say what the quantity beside them says better.
_CHIPS = (
    *(Fact.QUALITY, Fact.COUNTRY, Fact.TERM, Fact.YEAR, Fact.FORMAT, Fact.INCLUDES, Fact.SPEED, Fact.PACE),
    *(Fact.START, Fact.DROP, Fact.REFILL, Fact.WARRANTY),
)


class Chip(NamedTuple):
    """One fact in words; `fact` says what it is about."""

    fact: str
    label: str


def chips_of(facts: Mapping[str, Any], *, without: tuple[str, ...] = ()) -> list[Chip]:
    """Return the facts as chips in the reader's language, in a fixed order."""
    language = get_language() or "en"
    return [
        Chip(fact.value, label)
        for fact in _CHIPS
        if fact in facts and fact not in without
        for label in _labels(fact.value, _hashable(facts[fact]), language)
    ]


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


@lru_cache(maxsize=10_000)
def _labels(fact: str, value: Any, _language: str) -> tuple[str, ...]:
    """Return the words of one fact: a label for each value of a list."""
    words = {Fact.QUALITY: QUALITY_WORDS, Fact.INCLUDES: INCLUDED_WORDS}.get(Fact(fact))
    if words is not None:
        return tuple(str(words[each]) for each in value if each in words)
    return (fact_in_words(fact, value),)


def fact_in_words(fact: str, value: Any) -> str:
    """Return one fact, not a list, in the reader's language."""
    match fact:
        case Fact.COUNTRY:
            return country_name(value)
        case Fact.SPEED:
            return _("%(pieces)s a day") % {"pieces": _range(*value)}
        case Fact.PACE:
            return str(PACE_WORDS.get(value, value))
        case Fact.START:
            return _start(*value)
        case Fact.REFILL:
            return _refill(value)
        case Fact.WARRANTY:
            return _warranty(value)
        case Fact.DROP:
            return _drop(value)
        case Fact.TERM:
            return term_in_words(value)
        case Fact.MOST | Fact.LEAST:
            return short_number(value)
    return str(value)


def short_number(number: int) -> str:
    """Return a number as chips write it: 10K, 1.5M; in the reader's language."""
    for factor, form in ((10**6, _("%(number)sM")), (1000, _("%(number)sK"))):
        if number >= factor:
            tenths = number * 10 // factor
            digits = 1 if tenths % 10 else 0
            return form % {"number": number_format(Decimal(tenths) / 10, decimal_pos=digits, use_l10n=True)}
    return str(number)


def _range(low: int, high: int) -> str:
    if low in (0, high):
        return short_number(high)
    return f"{short_number(low)}–{short_number(high)}"


def _start(low: int, high: int) -> str:
    if high == 0:
        return _("Instant start")
    return _("Starts within %(time)s") % {"time": span_in_words(high)}


def span_in_words(minutes: int) -> str:
    """Return a span as people say it: 30 minutes, 6 hours, 2 days."""
    if minutes < 60:
        return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}
    if minutes <= 48 * 60:
        hours = -(-minutes // 60)
        return ngettext("%(count)d hour", "%(count)d hours", hours) % {"count": hours}
    return days_in_words(-(-minutes // 1440))


def days_in_words(days: int) -> str:
    """Return a number of days."""
    return ngettext("%(count)d day", "%(count)d days", days) % {"count": days}


def warranty_in_words(hours: int | None) -> str:
    """Return the warranty of goods for beside their price, "" where no goods are sold; see catalog.titles.warranty."""
    if hours is None:
        return ""
    if hours == 0:
        return _("No warranty")
    if hours >= LIFETIME_DAYS * 24:
        return _("Lifetime warranty")
    return _("Warranty: %(time)s after delivery") % {"time": span_in_words(hours * 60)}


def _refill(days: int) -> str:
    if days == 0:
        return _("No refill")
    if days >= LIFETIME_DAYS:
        return _("Lifetime refill")
    return ngettext("%(count)d-day refill", "%(count)d-day refill", days) % {"count": days}


def _warranty(hours: int) -> str:
    if hours >= LIFETIME_DAYS * 24:
        return _("Lifetime warranty")
    return _("Warranty: %(time)s") % {"time": span_in_words(hours * 60)}


def _drop(value: Any) -> str:
    if value == "low":
        return _("Low drop")
    low, high = value
    if high == 0:
        return _("No drop")
    percent = str(high) if low == high else f"{low}–{high}"
    return _("Drop %(percent)s%%") % {"percent": percent}


def term_in_words(months: int) -> str:
    """Return for how long something is bought."""
    if months >= LIFETIME_MONTHS:
        return _("Lifetime")
    if months % 12 == 0:
        return ngettext("%(count)d year", "%(count)d years", months // 12) % {"count": months // 12}
    return ngettext("%(count)d month", "%(count)d months", months) % {"count": months}
