"""Every folder of translations is whole: each text is there once, translated, with its placeholders, and compiled."""

import re
from functools import cache

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from django.conf import settings

from tests.storefront.texts_source import Text, marked_texts

FOLDERS = sorted(path.name for path in (settings.BASE_DIR / "locale").iterdir() if path.is_dir())
PLACEHOLDER = re.compile(r"%(?:\(\w+\))?[sd]|\{\w*\}")
TAG = re.compile(r"</?[a-z]+")
# What stays as it is in every language.
LATIN_TEXTS = {"2FA", "API", "ID", "OpenAPI 3.1", "SMS"}
# Abbreviated, so that it is the same in every form.
ABBREVIATED = {"%(count)s minute", "%(count)d minute"}
pytestmark = pytest.mark.parametrize("language", FOLDERS)


def file_of(language: str):
    return settings.BASE_DIR / "locale" / language / "LC_MESSAGES" / "django.po"


@cache
def catalog(language: str) -> Catalog:
    with file_of(language).open("rb") as file:
        return read_po(file, locale=language)


@cache
def messages(language: str) -> list[Message]:
    return [message for message in catalog(language) if message.id]


def as_text(message: Message) -> Text:
    singular, plural = message.id if isinstance(message.id, tuple) else (message.id, "")
    return message.context or "", singular, plural


def forms(message: Message) -> tuple[str, ...]:
    return message.string if isinstance(message.string, tuple) else (message.string,)


def shown(found: list[Message]) -> list[str]:
    return [as_text(message)[1] for message in found]


@pytest.mark.xdist_group("texts")  # one process reads all sources
def test_catalog_holds_every_text_the_sources_mark(language: str) -> None:
    held = {as_text(message) for message in messages(language)}
    missing = [f"{file}: {text[1]!r}" for text, file in sorted(marked_texts().items()) if text not in held]

    assert missing == [], f"run `make messages` and translate what it adds to {language}:\n" + "\n".join(missing)


@pytest.mark.xdist_group("texts")
def test_catalog_holds_nothing_the_sources_no_longer_say(language: str) -> None:
    stale = [text[1] for text in map(as_text, messages(language)) if text not in marked_texts()]

    assert stale == [], "run `make messages`: it drops these"


def test_catalog_is_translated_throughout(language: str) -> None:
    assert shown([message for message in messages(language) if not all(forms(message))]) == []


def test_catalog_in_other_letters_has_no_english_left(language: str) -> None:
    said = [PLACEHOLDER.sub("", form) for message in messages(language) for form in forms(message)]
    own = re.compile(r"[^\W\da-z]", re.IGNORECASE)
    latin = [form for form in said if re.search("[a-z]", form, re.IGNORECASE) and not own.search(form)]

    if 2 * len(latin) < len(said):  # else it is a language that is written in Latin letters
        assert set(latin) - LATIN_TEXTS == set()


def test_catalog_has_no_guesses_left(language: str) -> None:
    guessed = [message for message in messages(language) if message.fuzzy]

    assert shown(guessed) == [], "gettext guessed these: translate them"
    assert not catalog(language).fuzzy, "a catalog whose header is fuzzy is not compiled"


def test_catalog_has_the_plural_forms_of_its_language(language: str) -> None:
    plurals, count = [one for one in messages(language) if one.pluralizable], Catalog(locale=language).num_plurals

    assert catalog(language).num_plurals == count
    alike = [one for one in plurals if len(set(forms(one))) == 1 < count and one.id[0] not in ABBREVIATED]
    assert shown(alike) == []
    assert shown([message for message in plurals if len(forms(message)) != count]) == []


def test_translations_keep_the_placeholders_and_tags_in_every_plural_form(language: str) -> None:
    changed = []
    for message in messages(language):
        # The plural of the original has the count, which its singular may leave out; Russian needs it for 21 as well.
        original = message.id[1] if isinstance(message.id, tuple) else message.id
        for form in forms(message):
            same = all(sorted(mark.findall(form)) == sorted(mark.findall(original)) for mark in (PLACEHOLDER, TAG))
            if not same and form:
                changed.append((original, form))

    assert changed == []


def test_compiled_catalog_is_as_new_as_the_text(language: str) -> None:
    compiled = file_of(language).with_suffix(".mo")

    assert compiled.is_file(), "run `make compile`"
    assert compiled.stat().st_mtime >= file_of(language).stat().st_mtime, "run `make compile`"
