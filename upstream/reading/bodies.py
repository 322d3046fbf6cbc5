"""The bytes around JSON that comes from outside."""

import codecs


def without_mark(body: bytes) -> bytes:
    """Return the body without the one byte order mark that may stand before its text; a second one stays.

    Source: RFC 8259, section 8.1: not to be written, and whoever reads may ignore it.
    """
    return body.removeprefix(codecs.BOM_UTF8)


def looks_like_json(body: bytes) -> bool:
    """Whether the body begins as an object or an array does; nothing is parsed."""
    return without_mark(body).lstrip()[:1] in (b"{", b"[")
