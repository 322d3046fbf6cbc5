"""Links that people paste: where one begins and ends, and what in it nobody sees.

A link is kept byte for byte, for a server takes each of them for another one: nothing is composed and no case is
changed. Only what came along when it was copied is taken away. Percent codes are judged as the characters they stand
for, among those around them: `%EF%B8%8F` after a heart is a part of an emoji.
"""

import re
import unicodedata
from urllib.parse import unquote_to_bytes

from upstream.reading.text import unseen_places, visible

_CODED = re.compile(r"(?:%[0-9a-f]{2})+", re.IGNORECASE)
_NO_TEXT = "x"  # stands for a byte that is no UTF-8: the server may know what it is


def link(typed: str) -> str:
    """Return a link as it is kept and sent: nothing invisible in it, neither blanks nor their percent codes nor those
    of invisible characters (`%E2%80%8B`) at its end, every other character as it was typed.

    A coded blank at the end of a query stays: it may be what is searched for.
    """
    spaced = "".join(" " if character.isspace() else character for character in typed)
    kept = visible(spaced).strip()
    slash = "/" if kept.endswith("/") else ""
    parts, text = _read(kept.removesuffix("/"))
    unseen = unseen_places(text)
    blanks_go = "?" not in parts

    def trimmed(end: int) -> int:
        while end and _goes(text[end - 1], len(parts[end - 1]) > 1, end - 1 in unseen, blanks_go):
            end -= 1
        return end

    end = trimmed(len(parts))
    if not slash and parts[end - 1 : end] == ["/"]:  # what goes stood behind it
        slash, end = "/", trimmed(end - 1)
    return "".join(parts[:end]) + slash


def _goes(character: str, is_coded: bool, unseen: bool, blanks_go: bool) -> bool:
    """Whether a character at a link's end is no part of it."""
    if character == "\0":  # refused elsewhere, with words
        return False
    return (character.isspace() and (blanks_go or not is_coded)) or (unseen and not character.isspace())


def hidden_in(kept: str) -> str:
    """Return the percent codes of an invisible character inside a link, "" where there is none.

    What carries a meaning does not count: line breaks in a message, a joiner in Persian, an emoji's variant.
    """
    parts, text = _read(kept)
    for place in sorted(unseen_places(text)):
        if len(parts[place]) > 1 and unicodedata.category(text[place]) != "Cc":
            return parts[place].upper()
    return ""


def _read(kept: str) -> tuple[list[str], str]:
    """Return the parts of a link that stand for one character each, as they were typed, and those characters."""
    parts: list[str] = []
    text: list[str] = []
    end = 0
    for found in _CODED.finditer(kept):
        parts += kept[end : found.start()]
        text += kept[end : found.start()]
        begins, end = found.span()
        for character in unquote_to_bytes(found[0]).decode("utf-8", "surrogateescape"):
            is_text = not "\udc80" <= character <= "\udcff"
            length = 3 * (len(character.encode()) if is_text else 1)
            parts.append(kept[begins : begins + length])
            text.append(character if is_text else _NO_TEXT)
            begins += length
    parts += kept[end:]
    text += kept[end:]
    return parts, "".join(text)
