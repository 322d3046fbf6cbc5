"""Text from outside: what of it can be seen, how it is compared, where its lines end.

What nobody sees is neither stored nor sent: it comes along when somebody copies from a web page or a chat, and a link
that ends in it leads nowhere. Two characters that cannot be seen do carry a meaning and stay where they do: those that
join or part their neighbours in emoji and in scripts like Arabic and Devanagari.
Source: the Unicode Standard 15, sections 23.2 (format characters), 23.3 (joiners), annex 15 (normal forms).
"""

import html
import re
import unicodedata

ZERO_WIDTH_NON_JOINER, ZERO_WIDTH_JOINER = "\u200c", "\u200d"
# Not of the category of format characters, yet without any width: fillers of Hangul, a joiner of combining marks.
_FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0"
_FILLER = re.compile(f"[{_FILLERS}]")
_INVISIBLE_CATEGORIES = ("Cf", "Cc", "Cs", "Co", "Cn")
_LINE_ENDS = re.compile(r"\r\n|\n|\r")
# Scripts in which a joiner changes how a word is written; Latin, Greek and Cyrillic have no use for it.
_JOINED_SCRIPTS = re.compile(r"[\u0590-\u109f\u1780-\u17ff\u1800-\u18af\U00010000-\U0001ffff\u2190-\u2bff\ufe0f]")


def visible(text: str, *, keep: str = "") -> str:
    """Return the text without control, format and other characters that nobody sees; those in `keep` stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character
        for place, character in enumerate(text)
        if character in keep or not _is_invisible(character) or _joins(text, place)
    )


def _is_invisible(character: str) -> bool:
    return character in _FILLERS or unicodedata.category(character) in _INVISIBLE_CATEGORIES


def _joins(text: str, place: int) -> bool:
    """Whether this is a joiner between two characters that look different with it."""
    if text[place] not in (ZERO_WIDTH_JOINER, ZERO_WIDTH_NON_JOINER):
        return False
    before, after = text[place - 1 : place], text[place + 1 : place + 2]
    return bool(_JOINED_SCRIPTS.match(before) and _JOINED_SCRIPTS.match(after))


def line(text: str) -> str:
    """Return one line of text as it is kept: composed, nothing invisible, single spaces between words, none around."""
    if text.isprintable() and not _FILLER.search(text):  # the space is the only one of its kind that is printable
        return " ".join(unicodedata.normalize("NFC", text).split())
    spaced = "".join(" " if character.isspace() else character for character in text)
    return " ".join(unicodedata.normalize("NFC", visible(spaced)).split())


def lines(text: str) -> list[str]:
    """Return the lines that somebody sees, as `line` returns each; a line without visible text is none.

    Lines end at LF, CRLF and CR alone, as in a browser's text field, so that buyer and server count alike.
    """
    return [kept for one in _LINE_ENDS.split(text) if (kept := line(one))]


def paragraphs(text: str) -> str:
    """Return text of several lines as it is kept: composed, nothing invisible, line ends as LF."""
    return unicodedata.normalize("NFC", visible(_LINE_ENDS.sub("\n", text), keep="\n\t")).strip()


def named(text: str) -> str:
    """Return a name that upstream gave: its entities decoded once, then as `line`."""
    return line(html.unescape(text) if "&" in text else text)


def said(text: str) -> str:
    """Return a message that upstream passed on, of several lines perhaps: entities decoded once, then `paragraphs`."""
    return paragraphs(html.unescape(text))


def comparable(text: str) -> str:
    """Return what two texts share that look alike, for searching and for comparing names; never for showing.

    Compatibility forms (bold, full-width), case, accents of Latin letters, what cannot be seen, runs of spaces and the
    two ways of writing an entity make no difference. Letters of other scripts keep their marks, for there they are
    letters of their own; only the Russian ё is an е.
    """
    if text.isascii() and "&" not in text:
        return " ".join(visible(text, keep="\t\n\r").lower().split())
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", html.unescape(text)).casefold())
    kept: list[str] = []
    base = ""
    for character in folded:
        if unicodedata.combining(character):
            if not base.isascii():
                kept.append(character)
        elif character.isspace() or not _is_invisible(character):
            kept.append(character)
            base = character
    joined = unicodedata.normalize("NFC", "".join(kept)).translate(_SAME_LETTERS)
    return " ".join(joined.split())


_SAME_LETTERS = str.maketrans({"ё": "е", "ı": "i", "ß": "ss"})


def digits(text: str) -> str:
    """Return the decimal digits of a telephone number, as ASCII."""
    return "".join(str(unicodedata.decimal(character)) for character in text if character.isdecimal())


# What programs write where there is nothing. Not for countries: "NA" is one.
_NOTHING = frozenset(
    ("", "null", "none", "nil", "undefined", "nan", "n/a", "na", "false", "empty", "unknown", "-", "--", "–", "—", "?")
)


def means_nothing(text: str) -> bool:
    """Whether the text only says that there is none: blank, null, None, N/A, a dash."""
    return comparable(text) in _NOTHING


def shortened(text: str, longest: int) -> str:
    """Return the text, or its beginning with a sign that something is missing; for messages, never for values."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
