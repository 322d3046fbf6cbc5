"""How times are written, where a sentence may end with them."""

from datetime import UTC, datetime

import pytest
from django.utils import translation
from django.utils.formats import date_format

MORNING = datetime(2026, 11, 29, 6, 3, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "name", "text"),
    [
        ("en", "TIME_FORMAT", "6:03 AM"),
        ("en", "DATETIME_FORMAT", "Nov 29, 2026, 6:03 AM"),
        ("en", "SHORT_DATETIME_FORMAT", "Nov 29, 2026, 6:03 AM"),
        ("ru", "SHORT_DATETIME_FORMAT", "29.11.2026 06:03"),
    ],
)
def test_date_format_when_it_ends_a_sentence_leaves_one_full_stop(language: str, name: str, text: str) -> None:
    with translation.override(language):
        assert date_format(MORNING, name) == text
