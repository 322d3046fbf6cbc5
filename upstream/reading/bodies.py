"""The bytes around JSON that comes from outside."""

import codecs
import re


def without_mark(body: bytes) -> bytes:
    """Return the body without the one byte order mark that may stand before its text; a second one stays.

    Source: RFC 8259, section 8.1: not to be written, and whoever reads may ignore it.
    """
    return body.removeprefix(codecs.BOM_UTF8)


def looks_like_json(body: bytes) -> bool:
    """Whether the body begins as an object or an array does; nothing is parsed."""
    return without_mark(body).lstrip()[:1] in (b"{", b"[")


def mended(body: bytes) -> bytes | None:
    """Return the body with U+FFFD in place of bytes that are no UTF-8 and of halves of escaped characters, else None.

    Somebody cut a text in the middle of an emoji, or wrote it in another encoding: that costs this one character.
    Source: RFC 8259, sections 7 and 8.2 (a character beyond U+FFFF is escaped as two halves; one alone is none).
    """
    fixed = _ESCAPE.sub(_whole_escape, body.decode("utf-8", "replace").encode())
    return None if fixed == body else fixed


def _whole_escape(found: re.Match[bytes]) -> bytes:
    if found["alone"] or (found["high"] and not found["low"]):
        return b"\\ufffd"
    return found[0]


# Every escape is matched, so that a backslash which is escaped itself begins none.
_ESCAPE = re.compile(
    rb"\\(?:u(?P<high>[dD][89abAB][0-9a-fA-F]{2})(?P<low>\\u[dD][c-fC-F][0-9a-fA-F]{2})?"
    rb"|u(?P<alone>[dD][c-fC-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)
