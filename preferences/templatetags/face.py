"""What templates ask of the shop's face, wherever they are rendered from: with a request or without."""

import re
from typing import Any

from django import template
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString, mark_safe

from preferences import look
from preferences.doors import DOORS
from preferences.face import HEADLINE, LANGUAGES, LEAD, OTHER_CONTACT
from preferences.kinds import Words
from preferences.registry import Preference, find

register = template.Library()
WORDS: dict[str, Preference[Words]] = {one.name: one for one in (HEADLINE, LEAD, OTHER_CONTACT)}


@register.simple_tag
def face_styles() -> str:
    """The link to the style sheet with the owner's accent, or nothing."""
    address = look.styles_address()
    return format_html('<link rel="stylesheet" href="{}">', address) if address else ""


@register.simple_tag
def shop_logo() -> dict[str, str | int] | None:
    """The logo as the header shows it (url, width, height), or None."""
    return look.shown_logo()


@register.simple_tag
def shop_words(name: str) -> str:
    """A text of the owner's in the reader's language, "" where there is none."""
    return str(WORDS[name].value)


@register.simple_tag
def preference(name: str) -> Any:
    """What holds of the preference of that name; None where there is none."""
    found = find(name)
    return None if found is None else found.value


@register.simple_tag
def closed(name: str) -> str:
    """Why the owner has closed this door (`preferences/doors.py`), in the reader's language; "" while it is open."""
    [door] = (one for one in DOORS if one.name == name)
    return door.message if door.is_closed else ""


@register.simple_tag
def offered_languages() -> tuple[str, ...]:
    """The codes of the languages that readers may choose."""
    return LANGUAGES.value


@register.filter
def emphasized(text: Any) -> SafeString:
    """The text, escaped, with words between asterisks as <em>."""
    return mark_safe(re.sub(r"\*([^*]+)\*", r"<em>\1</em>", conditional_escape(text)))  # noqa: S308 - escaped before
