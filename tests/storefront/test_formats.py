"""How times and amounts are written: one style, wherever they stand."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.utils import timezone, translation
from django.utils.formats import date_format

from accounts.moments import write_distance, write_moment
from accounts.templatetags.money import decimals, money

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


NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("language", "away", "text"),
    [
        ("en", timedelta(seconds=-20), "just now"),
        ("en", timedelta(minutes=-12), "12 min ago"),
        ("en", timedelta(minutes=-59), "59 min ago"),
        ("en", timedelta(hours=-5), "5 hours ago"),
        ("en", timedelta(days=-6), "6 days ago"),
        ("en", timedelta(days=-7), "Nov 22, 2026"),
        ("en", timedelta(hours=2), "in 2 hours"),
        ("ru", timedelta(minutes=-12), "12 мин назад"),
        ("ru", timedelta(days=-3), "3 дня назад"),
        ("ru", timedelta(days=-30), "30 окт. 2026 г."),
    ],
)
def test_write_distance_says_how_far_away_a_moment_is_and_beyond_a_week_its_day(
    language: str, away: timedelta, text: str
) -> None:
    with translation.override(language):
        assert write_distance(NOW + away, now=NOW).replace("\xa0", " ") == text


@pytest.mark.parametrize(
    ("zone", "language", "text"),
    [
        ("UTC", "en", "Nov 29, 2026, 12:00 PM UTC"),
        ("Europe/Moscow", "ru", "29 нояб. 2026 г., 15:00 MSK"),
        ("America/Sao_Paulo", "en", "Nov 29, 2026, 9:00 AM UTC-03"),
    ],
)
def test_write_moment_names_the_zone_of_the_shop(zone: str, language: str, text: str) -> None:
    with translation.override(language), timezone.override(ZoneInfo(zone)):
        assert write_moment(NOW).replace("\xa0", " ") == text


@pytest.mark.parametrize(
    ("micros", "text"),
    [(1_500_000, "$1.50"), (1_200, "$0.0012"), (1_234_567_890_000, "$1,234,567.89"), (625_000, "$0.625")],
)
def test_money_has_two_decimals_and_more_only_where_they_say_something(micros: int, text: str) -> None:
    with translation.override("en"):
        assert money(micros) == text
        assert decimals(micros) == len(text.partition(".")[2])


PAGES = [path for path in (settings.BASE_DIR / "templates").rglob("*.*") if "admin" not in path.parts]
OTHER_WAYS = re.compile(r"\|(?:date|time|timesince|timeuntil|naturaltime|naturalday)\b|<time\b|{% now")
# A clock that counts down is no moment.
COUNTS_DOWN = re.compile(r"<time\b[^>]*data-countdown")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_template_shows_moments_by_the_component_alone(path: Path) -> None:
    if path.name == "time.html":
        return

    found = [line for line in path.read_text().splitlines() if OTHER_WAYS.search(line)]

    assert [line for line in found if not COUNTS_DOWN.search(line)] == []
