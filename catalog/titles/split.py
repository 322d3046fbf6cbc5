"""Splitting a title: parts that say nothing but facts are taken out of it; what is not understood stays in the name.

Pure: no database. Every word of a title is afterwards in the name or in what was taken.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from catalog.models import Fact
from catalog.titles.countries import code_of
from catalog.titles.facts import Facts, add_fact, agrees
from catalog.titles.vocabulary import Found, phrases_in
from upstream.reading.text import line, visible

LONGEST_NAME = 500
_BRACKETS = re.compile(r"[\[(【{（]([^\[\]()【】{}（）]*)[\])】}）]")
# A slash, a dash and a comma part words only with a space beside them: "10K/Day", "24-48", "1,000".
_SEPARATORS = re.compile(r"\s*(?:[|¦│∣‖•●▪■◆♦★☆»«►▶➤➜→⇒⟶;~]|//|\s/\s|\s[-–—]+\s|,\s)[\s|¦│•●;~]*")
_EDGES = " \t|¦│∣‖•●▪■◆♦★☆»«►▶➤➜→⇒⟶;~,:/-–—+&"
# They say nothing beside a fact: "Real & Active Users", "Country: UK".
_GLUE = re.compile(
    r"(?<!\w)(?:and|only|with|from|of|in|the|и|из|с|только|speed|скорость|quality|качество|users?|people|profiles?|"
    r"accounts?|acc|members?|audience|пользователи|люди|профили|аккаунты|country|geo|countries|region|target(?:ed|ing)?|"
    r"страна|страны|гео|регион)(?!\w)|[\s&+,.:/!()\-–—]+",
    re.IGNORECASE,
)
_COUNTRY_IS = re.compile(r"(?:country|geo|region|страна|гео|регион)\s?:\s?(.+)", re.IGNORECASE)
_FLAG = re.compile(r"[\U0001f1e6-\U0001f1ff]{2}")
_KEPT_SYMBOLS = "©®™°№"
# Pictures are decoration, unless they are what is sold.
_SELLS_PICTURES = re.compile(r"react|emoji|smile|реакци|эмодзи|смайл", re.IGNORECASE)


class Split(NamedTuple):
    """A title as it was split; `taken` are the texts that are in no name any more."""

    name: str
    facts: Facts
    taken: tuple[str, ...]


def split_title(
    title: str, *, facts: Mapping[str, Any] | None = None, agreed: Mapping[str, Any] | None = None
) -> Split:
    """Return the short name of a title and what else it says.

    `facts` are known already, from staff's rules: what contradicts them stays in the name. With `agreed`, the facts of
    the same title in English, only what they say as well is taken out: a translation adds no facts.
    """
    text = line(unicodedata.normalize("NFKC", title))
    pictures = not text.isascii() and bool(_SELLS_PICTURES.search(text))
    splitter = _Splitter({**(facts or {})}, agreed, pictures)
    if not text.isascii():
        text = _FLAG.sub(splitter.take_flag, text if pictures else _without_pictures(text))
        text = " ".join(text.split())  # expressions look long at what is nothing but spaces
    name = _tidy(splitter.parts(_BRACKETS.sub(splitter.take_bracket, text)))
    if not _says_something(name):
        name = _tidy(splitter.first or text) or line(title) or title
    return Split(name[:LONGEST_NAME], splitter.facts, tuple(splitter.taken))


class _Splitter:
    def __init__(self, facts: Facts, agreed: Mapping[str, Any] | None, pictures: bool) -> None:
        self.facts = facts
        self.agreed = agreed
        self.pictures = pictures
        self.taken: list[str] = []
        self.first = ""

    def take_flag(self, flag: "re.Match[str]") -> str:
        code = "".join(chr(ord(letter) - 0x1F1E6 + ord("a")) for letter in flag[0])
        self._fits(Fact.COUNTRY.value, code_of(code, coded=True))
        return " "

    def take_bracket(self, bracket: "re.Match[str]") -> str:
        inside = bracket[1]
        rest = self.parts(inside)
        if not _says_something(rest, self.pictures):
            # Nothing in it, or nothing but facts; it parts what is around it.
            return " | " if _says_something(inside, self.pictures) else bracket[0]
        return bracket[0] if rest == inside else f"{bracket[0][0]}{rest}{bracket[0][-1]}"

    def parts(self, text: str) -> str:
        """Return the text without the parts that say nothing but facts."""
        places = list(_SEPARATORS.finditer(text))
        starts, ends = [0, *(place.end() for place in places)], [*(place.start() for place in places), len(text)]
        kept: list[tuple[str, str]] = []  # what is left of a part, and the separator after it
        for number, (start, end) in enumerate(zip(starts, ends, strict=True)):
            part = text[start:end]
            self.first = self.first or (part if _says_something(part) else "")
            if rest := self._take(part):
                kept.append((rest, places[number][0] if number < len(places) else ""))
        pieces = [piece for pair in kept for piece in pair]
        return "".join(pieces[:-1] if len(kept) < len(starts) else pieces)

    def _take(self, part: str) -> str:
        """Take the facts out of one part and return what is left of it."""
        found, country, whole = _read_part(part, self.pictures)
        if whole and self._fit_all([(each.fact, each.value) for each in found], country):
            self.taken.append(part)
            return ""
        plain = [each for each in found if each.plain and self._fits(each.fact, each.value)]
        if not plain:
            return part
        left = " ".join(_without(part, plain).split())
        if not _says_something(_GLUE.sub(" ", left), self.pictures):
            return part
        self.taken += [part[each.start : each.end] for each in plain]
        return left

    def _fit_all(self, said: Iterable[tuple[str, Any]], country: str) -> bool:
        """Note all of these facts, or none where one of them says something else than what is known."""
        together = dict(self.facts)
        everything = [*said, (Fact.COUNTRY.value, country)] if country else [*said]
        if not all(self._may(key, value) and add_fact(together, key, value) for key, value in everything):
            return False
        self.facts = together
        return True

    def _fits(self, key: str, value: Any) -> bool:
        return bool(value is not None and value != "" and self._may(key, value) and add_fact(self.facts, key, value))

    def _may(self, key: str, value: Any) -> bool:
        return self.agreed is None or agrees(self.agreed, key, value)


def _without(text: str, phrases: Iterable[Any]) -> str:
    for phrase in reversed([*phrases]):
        text = f"{text[: phrase.start]} {text[phrase.end :]}"
    return text


@lru_cache(maxsize=50_000)  # titles are made of the same few thousand parts
def _read_part(part: str, pictures: bool) -> tuple[tuple[Found, ...], str, bool]:
    """Return the phrases of a part, the country it names, and whether that is all it says."""
    found = phrases_in(part)
    rest = _without(part, found)
    bare = _GLUE.sub(" ", rest).strip()
    said_country = _COUNTRY_IS.fullmatch(rest.strip(_EDGES))
    country = code_of(said_country[1], coded=True) if said_country else code_of(bare) or code_of(rest.strip(_EDGES))
    return found, country, bool(country) or (bool(found) and not _says_something(bare, pictures))


def _says_something(text: str, pictures: bool = False) -> bool:
    if any(character.isalnum() for character in text):
        return True
    return pictures and text.strip() != _without_pictures(text).strip()


def _without_pictures(text: str) -> str:
    """Return the text with spaces in the place of emoji; flags stay, for they are read."""
    return "".join(" " if _is_picture(each) else each for each in text)


def _is_picture(character: str) -> bool:
    if unicodedata.category(character) != "So":
        return False
    return character not in _KEPT_SYMBOLS and not "\U0001f1e6" <= character <= "\U0001f1ff"


def _tidy(text: str) -> str:
    """Return a name without separators around it."""
    name = " ".join(visible(text).replace("\ufe0f", "").split())
    name = re.sub(r"\s+([,;])", r"\1", name)
    while (stripped := name.strip(" |¦│∣‖•»«►;~,:/–—-").strip()) != name:
        name = stripped
    return re.sub(r"(?:\s*\|\s*)+", " | ", name)
