"""Preferences that are numbers: what is typed, what is stored, the limits, and how a text says them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.utils import translation

from preferences.numbers import Duration, Money, Number, Percent, Unit, Whole

PIECES = Whole(1, 1000)
SHARE = Percent(Decimal(0), Decimal(100))
SUM = Money(0, 1_000_000_000)
TIME = Duration(Unit.HOURS, 1, 48)


@pytest.mark.parametrize(
    ("kind", "typed", "value"),
    [
        (PIECES, "1", 1),
        (PIECES, " 1 000 ", 1000),
        (PIECES, "20.0", 20),
        (PIECES, 7, 7),
        (SHARE, "0", Decimal(0)),
        (SHARE, "12,5", Decimal("12.5")),
        (SHARE, "100", Decimal(100)),
        (SHARE, 40, Decimal(40)),
        (SUM, "0", 0),
        (SUM, "1 000,00", 1_000_000_000),
        (SUM, "0.000001", 1),
        (SUM, 250_000, 250_000),  # as it is stored
        (TIME, "1", timedelta(hours=1)),
        (TIME, "48", timedelta(days=2)),
    ],
)
def test_what_is_typed_or_stored_is_read_and_comes_back(kind: Number[Any], typed: Any, value: Any) -> None:
    assert kind.read(typed) == value
    assert kind.read(kind.write(value)) == value
    assert kind.read(kind.typed(value)) == value


@pytest.mark.parametrize("kind", [PIECES, SHARE, SUM, TIME])
@pytest.mark.parametrize(
    "nonsense", ["", " ", "-1", "many", "1e3", "1,2,3", "NaN", "Infinity", "1\0", "9" * 59, True, None, 1.5, [1], {}]
)
def test_nonsense_is_refused(kind: Number[Any], nonsense: Any) -> None:
    with pytest.raises(ValidationError):
        kind.read(nonsense)


@pytest.mark.parametrize(
    ("kind", "typed", "why"),
    [
        (PIECES, "0", "Enter a whole number from 1 to 1,000."),
        (PIECES, "1001", "Enter a whole number from 1 to 1,000."),
        (PIECES, "2.5", "Enter a whole number from 1 to 1,000."),
        (PIECES, "1,000", "Enter a whole number from 1 to 1,000."),  # one thousand to some, one to others
        (SHARE, "100.01", "Enter a percentage from 0% to 100%, of up to two decimals."),
        (SHARE, "0.001", "Enter a percentage from 0% to 100%, of up to two decimals."),
        (SUM, "1000.01", "Enter an amount from 0.00 USD to 1,000.00 USD."),
        (SUM, "0.0000001", "Enter an amount from 0.00 USD to 1,000.00 USD."),
        (TIME, "0", "Enter a whole number from 1 to 48 hours."),
        (TIME, "49", "Enter a whole number from 1 to 48 hours."),
    ],
)
def test_beyond_a_limit_the_limits_are_said(kind: Number[Any], typed: str, why: str) -> None:
    with pytest.raises(ValidationError) as refused:
        kind.read(typed)

    assert refused.value.messages == [why]


def test_numbers_are_said_with_their_unit_in_the_readers_language() -> None:
    assert PIECES.said(1000) == "1,000"
    assert SHARE.said(Decimal("12.50")) == "12.5%"
    assert SUM.said(1_234_500_000) == "1,234.50 USD"
    assert (TIME.said(timedelta(hours=1)), TIME.said(timedelta(hours=5))) == ("1 hour", "5 hours")
    assert TIME.limits == "From 1 to 48 hours."
    with translation.override("ru"):
        assert SHARE.said(Decimal("12.5")) == "12,5%"


def test_a_setting_is_read_as_its_kind_has_it() -> None:
    assert SUM.of_setting(Decimal("0.25")) == 250_000
    assert TIME.of_setting(2) == TIME.of_setting(timedelta(hours=2)) == timedelta(hours=2)
    assert TIME.typed(timedelta(minutes=90)) == "1.5"
