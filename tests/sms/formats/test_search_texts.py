"""What something is found by fits its column, whatever languages the shop has."""

import pytest

from sms.formats.search_texts import fitting_text
from sms.models import Country, Site
from upstream.reading.languages import CODES


def test_text_that_fits_is_whole_and_says_nothing_twice() -> None:
    assert fitting_text("Viber", ["VIBER", "Вайбер chat", "", "Вайбер chat"]) == "viber вайбер chat"


def test_text_that_does_not_fit_loses_the_last_words_of_the_longest() -> None:
    assert fitting_text("Viber", ["one two three four", "five"], 22) == "viber one two five"
    assert fitting_text("Viber", ["x" * 50, "five"], 22) == "viber five"
    assert fitting_text("x" * 15 + " y z", [], 16) == "x" * 15
    assert fitting_text("x" * 50, ["y"], 16) == "x" * 16


@pytest.mark.parametrize("length", [1, 12, 199])
def test_names_in_all_languages_are_found_by_their_beginning(settings, length: int) -> None:
    settings.CATALOG_LANGUAGES = CODES
    names = {code: f"{code}name " + "ü слово "[: length % 9] * (length // 8) for code in CODES}
    site = Site(name="Telegram", aliases="tg", translated_names=names)
    country = Country(code="us", name="United States", dial_code="+1", translated_names=names)

    for row in (site, country):
        text = row.found_by()
        assert len(text) <= 400
        assert {f"{code.lower()}name".rpartition("-")[2] for code in CODES} <= set(text.split())
    assert site.found_by().startswith("telegram")
    assert "united states" in country.found_by()
