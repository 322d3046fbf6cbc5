"""The types of preferences that are numbers: pieces, percents, amounts of money, spans of time; all within limits.

What is typed is read as it is on every form: `12,50`, `1 000`. What could mean two things is refused.
"""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from preferences.kinds import Kind
from upstream.money import micros_from_decimal, text_from_micros
from upstream.reading.amounts import MAX_MONEY, typed_amount, typed_quantity

T = TypeVar("T")


class Number(Kind[T]):
    """A number: `typed` is how its field has it, `said` how a text has it, `limits` a sentence beside the field."""

    def typed(self, value: T) -> str:
        """Return a value as somebody would type it."""
        raise NotImplementedError

    def said(self, value: T) -> str:
        """Return a value with its unit."""
        raise NotImplementedError

    @property
    def limits(self) -> str:
        """Say from what to what."""
        raise NotImplementedError


@dataclass(frozen=True)
class Whole(Number[int]):
    """A whole number within limits."""

    least: int
    most: int

    def read(self, stored: Any) -> int:
        found = _whole(stored)
        if found is None or not self.least <= found <= self.most:
            limits = {"least": number_format(self.least), "most": _grouped(self.most)}
            raise ValidationError(_("Enter a whole number from %(least)s to %(most)s."), params=limits)
        return found

    def typed(self, value: int) -> str:
        return str(value)

    def said(self, value: int) -> str:
        return _grouped(value)

    @property
    def limits(self) -> str:
        return _from_to(self.said(self.least), self.said(self.most))


@dataclass(frozen=True)
class Percent(Number[Decimal]):
    """A percentage of up to two decimals, within limits."""

    least: Decimal
    most: Decimal

    def read(self, stored: Any) -> Decimal:
        found = _amount(stored)
        if found is None or not self.least <= found <= self.most or found != round(found, 2):
            limits = {"least": self.said(self.least), "most": self.said(self.most)}
            raise ValidationError(
                _("Enter a percentage from %(least)s to %(most)s, of up to two decimals."), params=limits
            )
        return found

    def write(self, value: Decimal) -> Any:
        return self.typed(value)

    def typed(self, value: Decimal) -> str:
        return f"{value.normalize():f}"

    def said(self, value: Decimal) -> str:
        return f"{number_format(self.typed(value), force_grouping=True)}%"

    @property
    def limits(self) -> str:
        return _from_to(self.said(self.least), self.said(self.most))


@dataclass(frozen=True)
class Money(Number[int]):
    """An amount in micros, within limits; of up to six decimals. Its setting has decimals.

    `currency` is the setting that names its currency.
    """

    least: int
    most: int
    currency: str = "STORE_CURRENCY"

    def read(self, stored: Any) -> int:
        """As `Kind.read`: what is typed is in units of the currency, what is stored in micros."""
        micros = stored if isinstance(stored, int) and not isinstance(stored, bool) else None
        if isinstance(stored, str) and (amount := typed_amount(stored)) is not None:
            # Compared first: what is far too long cannot be rounded.
            fits = abs(amount) < MAX_MONEY and amount == round(amount, 6)
            micros = micros_from_decimal(amount) if fits else None
        if micros is None or not self.least <= micros <= self.most:
            limits = {"least": self.said(self.least), "most": self.said(self.most)}
            raise ValidationError(_("Enter an amount from %(least)s to %(most)s."), params=limits)
        return micros

    def of_setting(self, found: Any) -> int:
        return micros_from_decimal(found)

    def typed(self, value: int) -> str:
        return text_from_micros(value)

    def said(self, value: int) -> str:
        return f"{number_format(text_from_micros(value), force_grouping=True)} {getattr(settings, self.currency)}"

    @property
    def limits(self) -> str:
        return _from_to(self.said(self.least), self.said(self.most))


class Unit(StrEnum):
    """What a span of time is counted in, as `timedelta` calls it."""

    SECONDS = "seconds"
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"

    @property
    def span(self) -> timedelta:
        return timedelta(**{self.value: 1})


@dataclass(frozen=True)
class Duration(Number[timedelta]):
    """A span of time in whole units, `least` and `most` being so many; its setting has so many or a timedelta."""

    unit: Unit
    least: int
    most: int

    def read(self, stored: Any) -> timedelta:
        found = _whole(stored)
        if found is None or not self.least <= found <= self.most:
            limits = {"least": number_format(self.least), "most": self._counted(self.most)}
            raise ValidationError(_("Enter a whole number from %(least)s to %(most)s."), params=limits)
        return found * self.unit.span

    def write(self, value: timedelta) -> Any:
        return value // self.unit.span

    def of_setting(self, found: Any) -> timedelta:
        return found if isinstance(found, timedelta) else found * self.unit.span

    def typed(self, value: timedelta) -> str:
        return f"{value / self.unit.span:g}"  # a setting may say less than a whole unit

    def said(self, value: timedelta) -> str:
        return self._counted(value // self.unit.span)

    def _counted(self, count: int) -> str:
        text = {
            Unit.SECONDS: ngettext("%(count)s second", "%(count)s seconds", count),
            Unit.MINUTES: ngettext("%(count)s minute", "%(count)s minutes", count),
            Unit.HOURS: ngettext("%(count)s hour", "%(count)s hours", count),
            Unit.DAYS: ngettext("%(count)s day", "%(count)s days", count),
        }[self.unit]
        return text % {"count": _grouped(count)}

    @property
    def limits(self) -> str:
        return _from_to(_grouped(self.least), self._counted(self.most))


def _whole(stored: Any) -> int | None:
    if isinstance(stored, str):
        return typed_quantity(stored)
    return stored if isinstance(stored, int) and not isinstance(stored, bool) else None


def _amount(stored: Any) -> Decimal | None:
    if isinstance(stored, str):
        return typed_amount(stored)
    return Decimal(stored) if isinstance(stored, int) and not isinstance(stored, bool) else None


def _grouped(count: int) -> str:
    return number_format(count, force_grouping=True)


def _from_to(least: str, most: str) -> str:
    return _("From %(least)s to %(most)s.") % {"least": least, "most": most}
