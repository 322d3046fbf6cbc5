"""No text that somebody typed becomes a formula in somebody else's spreadsheet, whatever parts its cells there."""

import re

import pytest

from accounts.csv_export import CsvLines, harmless
from tests.storefront.settings_source import ROOT, modules

FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "＝1+1",
    "＋1",
    "－1",
    "＠A1",
    "﹦1+1",
    '=HYPERLINK("http://evil")',
    "-2+3+cmd|' /C calc'!A0",
]
BEFORE = [
    "",
    " ",
    "   ",
    "\t",
    "\r",
    "\n",
    "\u00a0",
    "\u200b",
    "\ufeff",
    "a,",
    "a;",
    "a; ",
    "a\t",
    "a|",
    'a"',
    'a";"',
    "a\n",
    "a\r\n",
    "a;\u3000",
]
# However a program parts lines and cells, and trims what is in them.
PARTED = re.compile(r'[,;\t|"\r\n]')
TRIMMED = " \t\r\n\x00\u00a0\u3000\u200b\ufeff"


def cells_by_any_reader(line: str) -> list[str]:
    return [cell.strip(TRIMMED) for cell in PARTED.split(line)]


@pytest.mark.parametrize("formula", FORMULAS)
@pytest.mark.parametrize("before", BEFORE)
def test_harmless_when_a_formula_stands_behind_any_separator_quotes_it(before: str, formula: str) -> None:
    line = CsvLines().line([f"{before}{formula}", "next"])

    assert [cell for cell in cells_by_any_reader(line) if cell.startswith(tuple("=+-@＝＋－＠﹦"))] == []


@pytest.mark.parametrize(
    "text", ["0", "-5", "-0.50", "1234.567890", "Ann", "a-b", "https://example.com/?a=1&b=-2", "", "x + y"]
)
def test_harmless_when_nothing_is_a_formula_leaves_it_as_it_is(text: str) -> None:
    assert harmless(text) == text


def test_lines_keep_numbers_and_write_nothing_for_nothing() -> None:
    assert CsvLines().line([-5, None, "-1.25", "=1"]) == "-5,,-1.25,'=1\r\n"


ONLY_READS = {"catalog/operations/service_files.py"}


def test_csv_is_written_in_one_place() -> None:
    writers = {
        str(path.relative_to(ROOT))
        for path in modules()
        if re.search(r"^\s*(import csv|from csv)\b|csv\.writer|DictWriter", path.read_text(), re.MULTILINE)
    }

    assert writers - ONLY_READS == {"accounts/csv_export.py"}
    assert not any(re.search(r"csv\.writer|DictWriter", (ROOT / path).read_text()) for path in ONLY_READS)
