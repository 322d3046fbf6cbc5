"""Text from outside: what of it can be seen, how it is compared, where its lines end.

What nobody sees is neither stored nor sent: it comes along when somebody copies from a web page or a chat, and a link
that ends in it leads nowhere. Some characters that cannot be seen do carry a meaning and stay where they do: those that
join or part their neighbours in emoji and in scripts like Arabic and Devanagari, and those that say whether an emoji is
drawn in color.
Source: the Unicode Standard 15, sections 23.2 (format characters), 23.3 (joiners), 23.4 (variation selectors), annex 15
(normal forms), annex 51 (emoji).
"""

import html
import re
import unicodedata

ZERO_WIDTH_NON_JOINER, ZERO_WIDTH_JOINER = "\u200c", "\u200d"
# Not of the category of format characters, yet nothing is seen of them: fillers of Hangul, a joiner of combining marks,
# the blank of Braille, variation selectors, places where nothing will ever be assigned.
_FILLERS = re.compile(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0"
    r"\ufdd0-\ufdef\ufff0-\ufff8\ufffe\uffff\U000e0000-\U000e0fff]"
)
# Format characters that are drawn: marks in front of numbers in Arabic and other scripts.
_DRAWN = re.compile(r"[\u0600-\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd]")
# Letters of a flag, like that of Scotland, after the black flag that they belong to.
_FLAG_LETTERS = re.compile(r"\U0001f3f4[\U000e0020-\U000e007f]+")
# Text or emoji: after a character that can be either, and in keycaps after a digit.
_PRESENTATION = ("\ufe0e", "\ufe0f")
_EMOJI = re.compile(
    r"[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf\u2900-\u297f\u2b00-\u2bff"
    r"\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_KEYCAP = re.compile(r"[0-9#*][\ufe0e\ufe0f]\u20e3")
# What is not assigned in this version of Unicode may well be seen: the emoji of next year.
_INVISIBLE_CATEGORIES = ("Cf", "Cc", "Cs", "Co")
_ODD_SPACES = re.compile(r"[\x0b\x0c\x1c-\x1f\x85\u2028\u2029]")
_ENTITY = re.compile(r"&(#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});")
_LINE_ENDS = re.compile(r"\r\n|\n|\r")
# Scripts in which a joiner changes how a word is written; Latin, Greek and Cyrillic have no use for it.
_JOINED_SCRIPTS = re.compile(r"[\u0590-\u109f\u1780-\u17ff\u1800-\u18af\U00010000-\U0001ffff\u2190-\u2bff]")


def visible(text: str, *, keep: str = "") -> str:
    """Return the text without control, format and other characters that nobody sees; those in `keep` stay."""
    if text.isascii() and text.isprintable():
        return text
    unseen = unseen_places(text)
    return "".join(character for place, character in enumerate(text) if place not in unseen or character in keep)


def unseen_places(text: str) -> set[int]:
    """Return the places of the characters that nobody sees and that say nothing of those around them."""
    if text.isascii() and text.isprintable():
        return set()
    in_flags = {place for flag in _FLAG_LETTERS.finditer(text) for place in range(*flag.span())}
    return {
        place
        for place, character in enumerate(text)
        if _is_invisible(character) and place not in in_flags and not _has_meaning(text, place)
    }


def _is_invisible(character: str) -> bool:
    if _FILLERS.match(character):
        return True
    return unicodedata.category(character) in _INVISIBLE_CATEGORIES and not _DRAWN.match(character)


def _has_meaning(text: str, place: int) -> bool:
    """Whether this joins two characters that look different then, or says how the emoji before it is drawn."""
    if text[place] in _PRESENTATION:
        return place > 0 and bool(_EMOJI.match(text, place - 1) or _KEYCAP.match(text, place - 1))
    if text[place] not in (ZERO_WIDTH_JOINER, ZERO_WIDTH_NON_JOINER) or place == 0:
        return False
    before = place - 2 if text[place - 1] in _PRESENTATION and _has_meaning(text, place - 1) else place - 1
    return all(
        _JOINED_SCRIPTS.match(text, beside) and not _is_invisible(text[beside]) for beside in (before, place + 1)
    )


def line(text: str) -> str:
    """Return one line of text as it is kept: composed, nothing invisible, single spaces between words, none around."""
    if text.isprintable() and not _FILLERS.search(text):  # the space is the only one of its kind that is printable
        return " ".join(unicodedata.normalize("NFC", text).split())
    spaced = "".join(" " if character.isspace() else character for character in text)
    return " ".join(unicodedata.normalize("NFC", visible(spaced)).split())


def lines(text: str) -> list[str]:
    """Return the lines that somebody sees, as `line` returns each; a line without visible text is none."""
    return [kept for one in split_lines(text) if (kept := line(one))]


def split_lines(text: str) -> list[str]:
    """Return all lines of a text as they stand there, the blank ones too.

    Lines end at LF, CRLF and CR alone, as in a browser's text field, so that buyer and server count alike.
    """
    return _LINE_ENDS.split(text)


def paragraphs(text: str) -> str:
    """Return text of several lines as it is kept: composed, nothing invisible, line ends as LF."""
    plain = _ODD_SPACES.sub(" ", _LINE_ENDS.sub("\n", text))
    return unicodedata.normalize("NFC", visible(plain, keep="\n\t")).strip()


def address(text: str) -> str:
    """Return an e-mail address as it is kept: nothing invisible around it and in its domain.

    What stands unseen in the part before the @ stays, to be refused: without it that is perhaps somebody else's.
    """
    characters = list(text)
    while characters and is_margin(characters[-1]):
        characters.pop()
    while characters and is_margin(characters[0]):
        characters.pop(0)
    local, at, domain = "".join(characters).rpartition("@")
    return f"{local}{at}{visible(domain)}"


def is_margin(character: str) -> bool:
    """Whether nothing is seen of a character around a text: a blank of any kind, or an invisible one."""
    return character.isspace() or _is_invisible(character)


def _unescaped(text: str) -> str:
    """Decode entities once, those alone that end with a semicolon: `&copy=3` is a part of an address."""
    return _ENTITY.sub(lambda found: html.unescape(found[0]), text)


def named(text: str) -> str:
    """Return a name that upstream gave: its entities decoded once, then as `line`; "" for one that says nothing."""
    name = line(_unescaped(text))
    return "" if names_nothing(name) else name


def said(text: str) -> str:
    """Return a message that upstream passed on, of several lines perhaps: entities decoded once, then `paragraphs`."""
    return paragraphs(_unescaped(text))


def comparable(text: str) -> str:
    """Return what two texts share that look alike, for searching and for comparing names; never for showing.

    Compatibility forms (bold, full-width), case, accents of Latin letters, what cannot be seen, runs of spaces and the
    two ways of writing an entity make no difference. Letters of other scripts keep their marks, for there they are
    letters of their own; only the Russian ё is an е.
    """
    if text.isascii() and "&" not in text:
        return " ".join(visible(text, keep="\t\n\r").lower().split())
    folded = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", _unescaped(text)).casefold())
    kept: list[str] = []
    base = ""
    for character in folded:
        if _is_mark(character):
            if not base.isascii() and _makes_a_letter(base, character):
                kept.append(character)
        elif character.isspace() or not _is_invisible(character):
            kept.append(character)
            base = character
    joined = unicodedata.normalize("NFC", "".join(kept)).translate(_SAME_LETTERS)
    return " ".join(joined.split())


def words_of(text: str) -> list[str]:
    """Return the words of a text as they are compared, without the signs between them: "Real|HQ (1-2 h)" has five.

    Pictures and the like, "🔥", are words of their own. Of a text that is nothing but signs they are what it says.
    """
    compared = comparable(text)
    return compared.translate(_PARTED).split() or compared.split()


def searchable(text: str) -> str:
    """Return the words of a text in one, with blanks between: what is looked through for typed words."""
    return " ".join(words_of(text))


class _Parted(dict[int, str]):
    """By character what it is to words: itself, a blank between two, or a word of its own. Filled as they are met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        alone = f" {character} " if category == "So" else " "
        found = self[code] = character if character.isalnum() or category.startswith("M") else alone
        return found


_PARTED = _Parted()


def _is_mark(character: str) -> bool:
    """Whether this is drawn on what stands before it, which it may enclose."""
    return bool(unicodedata.combining(character)) or unicodedata.category(character) in ("Mn", "Me")


def _makes_a_letter(base: str, mark: str) -> bool:
    """Whether a letter that is not Latin is another one with this mark: й, and what is of the letter's own script.

    Those of no script or another one only decorate, and so does what encloses.
    """
    if unicodedata.category(mark) == "Me" or _is_invisible(mark):
        return False
    return len(unicodedata.normalize("NFC", base + mark)) == 1 or _script(base) == _script(mark)


def _script(character: str) -> str:
    """Return the script of a letter or mark, which its name begins with: "DEVANAGARI VOWEL SIGN I"."""
    return unicodedata.name(character, "").partition(" ")[0]


_SAME_LETTERS = str.maketrans({"ё": "е", "ı": "i", "ß": "ss"})


def digits(text: str) -> str:
    """Return the decimal digits of a telephone number, as ASCII."""
    return "".join(str(unicodedata.decimal(character)) for character in text if character.isdecimal())


# What programs write where there is nothing, and what people do.
_NO_VALUE = frozenset(("", "null", "none", "nil", "undefined", "nan", "n/a", "n.a", "false"))
_NOT_KNOWN = frozenset(("na", "empty", "unknown"))
_LONGEST_COMPARED = 100
_AROUND_NOTHING = " .,:;!?_*#|/\\-\u2010\u2011\u2012\u2013\u2014\u2015\u2212'\"`()[]{}<>"


def means_nothing(text: str) -> bool:
    """Whether the text only says that there is none: blank, dashes and question marks, null, None, nil, undefined, NaN,
    N/A, false, and besides them NA, empty and unknown."""
    seen = _bare(text)
    return seen in _NO_VALUE or seen in _NOT_KNOWN


def names_nothing(name: str) -> bool:
    """Whether a name was not given: it is blank, punctuation alone, null, None, nil, undefined, NaN, N/A or false.

    Upper or lower case, brackets and quotes around it make no difference. What somebody may call a thing is a name:
    NA, Empty, Unknown, Null Sector.
    """
    return _bare(name) in _NO_VALUE


def _bare(text: str) -> str:
    # Most texts are longer than any of these words, and comparing costs more than everything else.
    bare = text.strip(_AROUND_NOTHING)
    return bare if len(bare) > _LONGEST_COMPARED else comparable(bare).strip(_AROUND_NOTHING)


def shortened(text: str, longest: int) -> str:
    """Return the text, or its beginning with a sign that something is missing; for messages, never for values."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
