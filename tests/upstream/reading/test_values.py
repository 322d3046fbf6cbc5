"""Amounts, quantities, moments and ids from outside."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from upstream.reading.amounts import amount, typed_amount, typed_quantity, whole
from upstream.reading.codes import code, message
from upstream.reading.identifiers import order_id, reference
from upstream.reading.times import instant


@pytest.mark.parametrize(
    "nonsense", ["1_000", "0,50", "NaN", "Infinity", "1e999", "", " ", "٣", "0x10", None, True, [], "1 000"]
)
def test_answers_are_read_strictly(nonsense: object) -> None:
    assert amount(nonsense) is None


def test_amounts_are_exact() -> None:
    assert amount("0.0001") == Decimal("0.0001")
    assert amount(" 1e-3 ") == Decimal("0.001")
    assert amount(5) == Decimal(5)
    assert whole("12.0") == 12
    assert whole("12.5") is None


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("10.50", "10.50"),
        ("10,50", "10.50"),
        ("1 000,00", "1000.00"),
        ("1\u00a0000", "1000"),
        ("7\u200b", "7"),
        ("0,500", "0.500"),
    ],
)
def test_people_type_amounts_as_they_are_used_to(typed: str, meant: str) -> None:
    assert typed_amount(typed) == Decimal(meant)


@pytest.mark.parametrize("typed", ["1,000", "1,000.00", "1,000,000", "1.000,50", "ten", "", "1e3", "--1"])
def test_what_could_mean_two_things_is_refused(typed: str) -> None:
    assert typed_amount(typed) is None


def test_quantities() -> None:
    assert typed_quantity("1000.0") == typed_quantity("1 000") == typed_quantity("1000") == 1000
    assert typed_quantity("0.5") is None
    assert typed_quantity("1,000") is None


@pytest.mark.parametrize(
    "told", ["1796082130", 1796082130, "1796082130.0", "1796082130123", "1796082130123456", "2026-12-01T00:42:10+01:00"]
)
def test_moments_in_every_unit(told: object) -> None:
    assert instant(told) == datetime(2026, 11, 30, 23, 42, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    "told",
    [
        None,
        "",
        "null",
        "0",
        0,
        -1,
        "never",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "1" * 30,
        [],
        True,
    ],
)
def test_what_is_no_moment_is_not_told(told: object) -> None:
    assert instant(told) is None


@pytest.mark.parametrize(
    "told", [0, "0", "000", "", " ", None, "null", "undefined", [], {}, True, "a b", "x" * 65, "-1"]
)
def test_what_is_no_order_id(told: object) -> None:
    assert order_id(told) is None


def test_ids_are_text() -> None:
    assert order_id(12) == order_id(" 12 ") == "12"
    assert order_id("a-12_b") == "a-12_b"


@pytest.mark.parametrize("typed", ["1000 100", "2.5 000", "10.50 100", "10,5 000", "1 00"])
def test_spaces_part_thousands_and_nothing_else(typed: str) -> None:
    assert typed_amount(typed) is None
    assert typed_quantity(typed) is None


def test_a_quantity_has_no_thousandths() -> None:
    assert typed_quantity("1,0000") is None
    assert typed_quantity("1000,00") == 1000


@pytest.mark.parametrize(
    ("sent", "read"), [("0.0", ""), ("0.00", ""), ("00.0", ""), ("123456.0", "123456"), ("1.5", "")]
)
def test_code_that_a_program_made_a_float_is_the_number(sent: str, read: str) -> None:
    assert code(sent) == read
    assert message("", sent) == ("1.5" if sent == "1.5" else "")


@pytest.mark.parametrize(
    "sent",
    ["NULL 0", "CODE 0", "PENDING 1", "undefined0", "http404", "STATUS", "READY", "ERROR 404", "WAIT 30", "NO_CODE_0"],
)
def test_code_whose_words_deny_it_is_none(sent: str) -> None:
    assert code(sent) == ""


@pytest.mark.parametrize(
    "sent", ["123456", "G-123456", "FB-12345", "123 456", "X7K2P", "ABC-DEF", "48-29-13", "QWERTY"]
)
def test_code_as_it_is_sent_is_read(sent: str) -> None:
    assert code(sent) == sent


def test_reference_with_broken_characters_is_none() -> None:
    assert reference("p\N{REPLACEMENT CHARACTER}", 40) is None
