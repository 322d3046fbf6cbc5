"""What each kind of preference takes, and what it gives back."""

from typing import Any

import pytest
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import translation

from preferences.face import LANGUAGES, LOGO_KIND, STORE_NAME, SUPPORT_EMAIL
from preferences.kinds import Boolean, Choice, Choices, Color, Text, Translated
from preferences.registry import Group, Preference, declare, declared

DIGEST = "a" * 64
OFFERED = Choices(lambda: [("a", "A"), ("b", "B"), ("c", "C")], always=lambda: ["a"])


@pytest.mark.parametrize(
    ("kind", "stored", "value"),
    [
        (Text(20), "  Corner \u200b shop\n", "Corner shop"),
        (Text(20, optional=True), "", ""),
        (Text(20, lines=True), "one\r\ntwo ", "one\ntwo"),
        (Color(), " #AABBCC ", "#aabbcc"),
        (Boolean(), False, False),
        (Choice(lambda: [("a", "A")]), "a", "a"),
        (OFFERED, ["c", "a", "gone"], ("a", "c")),
        (LOGO_KIND, {}, {}),
    ],
)
def test_what_is_stored_is_read(kind: Any, stored: Any, value: Any) -> None:
    assert kind.read(stored) == value
    assert kind.read(kind.write(value)) == value


@pytest.mark.parametrize(
    ("kind", "stored"),
    [
        (Text(20), ""),
        (Text(20), "\u200b"),
        (Text(3), "four"),
        (Text(20), 5),
        (SUPPORT_EMAIL.kind, "nobody"),
        (Color(), "red"),
        (Color(), "#12345"),
        (Color(), "#0b5f4a;}body{display:none"),
        (Boolean(), "yes"),
        (Choice(lambda: [("a", "A")]), "b"),
        (Choice(lambda: [("a", "A")]), ["a"]),
        (OFFERED, ["b"]),
        (OFFERED, "a"),
        (OFFERED, [1]),
        (Translated(10, ""), "text"),
        (Translated(3, ""), {"en": "four"}),
        (Translated(10, ""), {"en": None}),
        (LOGO_KIND, {"wide": {"digest": DIGEST, "width": 10, "height": 10}}),
        (LOGO_KIND, {name: {"digest": "../x", "width": 9, "height": 9} for name in LOGO_KIND.sizes}),
        (LOGO_KIND, {name: {"digest": DIGEST, "width": 9000, "height": 9} for name in LOGO_KIND.sizes}),
        (LOGO_KIND, {name: {"digest": DIGEST, "wide": 1} for name in LOGO_KIND.sizes}),
    ],
)
def test_what_is_broken_is_refused(kind: Any, stored: Any) -> None:
    with pytest.raises(ValidationError):
        kind.read(stored)


def test_a_text_by_language_is_the_readers() -> None:
    words = Translated(20, fallback="usual").read({"en": "Hello", "ru": "Привет", "de": " "})

    said = {}
    for language in ("en", "en-gb", "ru", "de"):
        with translation.override(language):
            said[language] = str(words)
    assert said == {"en": "Hello", "en-gb": "Hello", "ru": "Привет", "de": "usual"}


def test_a_name_is_declared_once() -> None:
    with pytest.raises(ValueError, match="store_name"):
        declare(Preference("store_name", Boolean(), "Again", Group("Again", 1, "again")))


def test_secrets_and_what_moves_money_are_no_preferences() -> None:
    names = [one.name + one.setting.lower() for one in declared() if isinstance(one.kind, Text | Translated)]

    assert "store_namestore_name" in names
    words = ("secret", "key", "password", "token", "transfer", "url", "address")
    assert [name for name in names if any(word in name for word in words)] == []


def test_without_anything_stored_the_defaults_hold(settings: Any) -> None:
    settings.STORE_NAME = "As set"

    assert STORE_NAME.value == "As set"
    assert LANGUAGES.value == tuple(code for code, _name in settings.LANGUAGES)


def test_the_shops_own_language_is_always_offered() -> None:
    with pytest.raises(ValidationError, match="English"):
        LANGUAGES.kind.read([code for code, _name in settings.LANGUAGES if code != "en"])
