"""Links that people paste: where one begins and ends, and what in it nobody sees.

A link is kept byte for byte, for a server takes each of them for another one: nothing is composed and no case is
changed. Only what came along when it was copied is taken away.
"""

import re
import unicodedata
from contextlib import suppress
from urllib.parse import unquote_to_bytes

from upstream.reading.text import is_margin, visible

_CODED = re.compile(r"(?:%[0-9a-f]{2})+", re.IGNORECASE)
_LONGEST_CODED = 4 * 3  # what UTF-8 needs for one character, in percent codes


def link(typed: str) -> str:
    """Return a link as it is kept and sent: nothing invisible in it, neither blanks nor their percent codes nor those
    of invisible characters (`%E2%80%8B`) at its end, every other character as it was typed."""
    spaced = "".join(" " if character.isspace() else character for character in typed)
    kept = visible(spaced).strip()
    slash = "/" if kept.endswith("/") else ""
    end = whole = len(kept) - len(slash)
    while coded := _coded_margin(kept[max(end - _LONGEST_CODED, 0) : end]):
        end -= coded
    return kept if end == whole else kept[:end].rstrip() + slash


def _coded_margin(tail: str) -> int:
    """Return how long the percent codes are that a text ends with, if they are of a character that nobody sees."""
    for length in range(3, _LONGEST_CODED + 1, 3):
        if not _CODED.fullmatch(tail[-length:]) or length > len(tail):
            return 0
        with suppress(UnicodeDecodeError):
            character = unquote_to_bytes(tail[-length:]).decode()
            return length if is_margin(character) and character != "\0" else 0
    return 0


def hidden_in(kept: str) -> str:
    """Return the percent codes of an invisible character inside a link, "" where there is none.

    What carries a meaning does not count: line breaks in a message, a joiner in Persian, an emoji's variant.
    """
    for found in _CODED.finditer(kept):
        try:
            text = unquote_to_bytes(found[0]).decode()
        except UnicodeDecodeError:
            continue
        seen = visible(text, keep="".join(filter(_is_control, text)))
        if seen != text:
            unseen = next((character for character in text if character not in seen), text)
            return "".join(f"%{byte:02X}" for byte in unseen.encode())
    return ""


def _is_control(character: str) -> bool:
    return unicodedata.category(character) == "Cc"
