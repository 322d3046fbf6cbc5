"""Titles of real shops and what is read from them; and whatever a title is, none of its words is lost."""

import json
import re
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from catalog.titles.facts import QUALITIES, agrees, columns_of, qualities_in, read_lines, write_lines
from catalog.titles.reading import TitleReader
from catalog.titles.split import split_title
from catalog.titles.words import short_number
from upstream.reading.text import line

CORPUS = json.loads((Path(__file__).parent / "corpus.json").read_text())
PARTS = st.sampled_from(
    [part.strip() for title, _name, _facts in CORPUS for part in re.split(r"[|\[\]~•【】;]", title) if part.strip()]
)
TITLES = st.one_of(
    st.lists(PARTS, min_size=1, max_size=8).map(" | ".join),
    st.lists(PARTS, min_size=1, max_size=6).map(lambda parts: parts[0] + "".join(f" [{each}]" for each in parts[1:])),
    st.text(min_size=1, max_size=120).filter(line),
    st.text(alphabet="|[]()-–/,;: \u200b🔥🇺🇸R30K%Day", min_size=1, max_size=60).filter(line),
)
split_title("Followers | USA")  # the names of countries are read once, which takes longer than an example may


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", line(unicodedata.normalize("NFKC", text)).casefold()))


@pytest.mark.parametrize(("title", "name", "facts"), CORPUS, ids=[row[0] for row in CORPUS])
def test_split_of_a_real_title_is_a_short_name_and_facts(title: str, name: str, facts: dict) -> None:
    split = split_title(title)

    assert (split.name, split.facts) == (name, facts)


def test_corpus_is_large_and_speaks_both_languages() -> None:
    titles = [title for title, _name, _facts in CORPUS]

    assert len(set(titles)) == len(titles) >= 80
    assert len([title for title in titles if re.search("[а-я]", title)]) >= 15


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TITLES)
@example("USA | Real")
@example("[USA] [R30]")
@example("| - |")
@example("R30 R30 R60")
@example("🇺🇸")
def test_split_of_any_title_loses_no_word_and_leaves_a_name(title: str) -> None:
    split = split_title(title)

    assert split.name.strip()
    assert not words(title) - (words(split.name) + words(" ".join(split.taken)))
    assert split_title(title) == split
    columns_of(split.facts)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TITLES)
def test_facts_of_any_title_can_be_written_by_staff_and_read_again(title: str) -> None:
    facts = split_title(title).facts

    assert read_lines(write_lines(facts)) == facts
    assert json.loads(json.dumps(facts)) == facts


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TITLES, TITLES)
def test_split_of_a_translation_adds_no_facts(english: str, translated: str) -> None:
    split = split_title(english)

    other = split_title(translated, agreed=split.facts)

    assert other.name.strip()
    assert not words(translated) - (words(other.name) + words(" ".join(other.taken)))
    for key, value in other.facts.items():
        assert agrees(split.facts, key, value)


def test_translation_loses_what_its_english_title_says_too_and_keeps_the_rest() -> None:
    facts = split_title("Telegram Members | Real | Russia | 30 Days Refill | Start 0-1 Hour").facts

    russian = "Участники Telegram | Живые | Россия | Докрутка 30 дней | Старт до 1 часа"
    assert split_title(russian, agreed=facts).name == "Участники Telegram"
    assert split_title("Участники Telegram | Живые | Казахстан | Докрутка 60 дней", agreed=facts).name == (
        "Участники Telegram | Казахстан | Докрутка 60 дней"
    )


def test_columns_of_facts_are_what_lists_are_narrowed_by() -> None:
    columns = TitleReader().columns("Likes | Real HQ | USA | 0-5K/Day | Guarantee 36 hours")

    assert (columns.short_title, columns.country, columns.covered_days, columns.speed_per_day) == (
        "Likes",
        "us",
        1,
        5000,
    )
    assert qualities_in(columns.qualities) == ["real", "high"]
    assert qualities_in((1 << len(QUALITIES)) - 1) == list(QUALITIES)


def test_override_replaces_adds_and_takes_away() -> None:
    override = read_lines("country: de\nquality: -\n\nstart: 0-60")

    columns = TitleReader().columns("Likes | Real | USA", {}, override)

    assert columns.facts == {"country": "de", "start": [0, 60]}
    assert (columns.country, columns.qualities) == ("de", 0)


@pytest.mark.parametrize(
    "wrong", ["country: Mars", "speed: fast", "colour: red", "quality: nice", "refill_days", "year: 19"]
)
def test_read_lines_of_what_is_no_fact_says_which_line(wrong: str) -> None:
    with pytest.raises(ValueError, match=re.escape(wrong)):
        read_lines(f"country: us\n{wrong}")


def test_a_hostile_title_is_split_in_a_moment() -> None:
    """Nothing in a title makes the expressions look for long."""
    from time import perf_counter

    titles = ["(" * 500, "10-" * 170, "a " * 250, "1,1" * 160, "Refill " * 70, "[[[]]]" * 80, "speed up to " * 40]
    titles += ["🔥" * 10_000, "★ " * 5_000, "🇺🇸" * 5_000]  # the columns take less; nobody is told to

    began = perf_counter()
    for title in titles:
        split_title(title)

    assert perf_counter() - began < 2


@pytest.mark.parametrize(
    ("number", "text"), [(999, "999"), (1000, "1K"), (1500, "1.5K"), (2015, "2K"), (999_999, "999.9K"), (10**7, "10M")]
)
def test_short_number_has_a_digit_behind_the_point_only_where_it_says_something(number: int, text: str) -> None:
    assert short_number(number) == text
