"""The phrases that titles are made of, in English and Russian: what each says.

A `Phrase` that is `plain` means one thing wherever it stands ("30 days refill"). The others are words that names have
as well ("Premium"): they count only where a whole part of a title is made of such phrases.
"""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from catalog.models import Fact
from catalog.titles.facts import LARGEST, LIFETIME_DAYS, LIFETIME_MONTHS, LONGEST_FORMAT

Read = Callable[["re.Match[str]"], Any]  # returns None where the words say nothing after all


class Phrase(NamedTuple):
    """One way to say a fact."""

    fact: Fact
    pattern: str
    read: Read
    plain: bool = True


class Found(NamedTuple):
    """A phrase at its place in a text."""

    fact: str
    value: Any
    start: int
    end: int
    plain: bool


_COUNT = r"(\d{1,9}(?:[.,]\d{1,3})?)\s?(k|m|к|м|тыс\.?|млн\.?|thousand|million)?"
_SPAN = rf"{_COUNT}(?:\s?[-–~]\s?{_COUNT})?"
_DAY = r"(?:day|d|24\s?h(?:ours)?|день|сутки|д)"
_HOUR = r"(?:hour|hr|h|час|ч)"
_DAYS = r"(?:days?|d|дн(?:ей|я|\.)?|день|д)"
_MONTHS = r"(?:months?|mo|месяц(?:а|ев)?|мес\.?)"
_YEARS = r"(?:years?|год(?:а)?|лет)"
_TIME = r"(minutes?|mins?|m|hours?|hrs?|h|days?|d|минут[аы]?|мин\.?|час(?:а|ов)?|ч|дн(?:ей|я)|день)"
_REFILL = r"(?:auto[\s-]?)?(?:re-?fill(?:ed|s)?|докрутк[аиу]|восстановлени[ея]|восполнени[ея])"
_COVER = r"(?:guaranteed?|warranty|гаранти[яи]|replacement|replace|замен[аы])"
_HOURS = r"-?(?:h|hours?|час(?:а|ов)?|ч)"
_PERCENT = r"(\d{1,2})(?:\s?[-–]\s?(\d{1,2}))?\s?%"
# "Speed: 300 Mbps", "Max: 256 GB" and "Min: 18 years" count something else.
_ONLY_PIECES = (
    r"(?!\s?(?:[kmgt]i?b(?:ps|it)?(?:/s)?|[kmg]bit/?s?|[kmg]hz|[кмгт]б(?:ит)?(?:/с)?|px|fps|start|старт|"
    rf"{_DAYS}|{_MONTHS}|{_YEARS}|{_TIME})(?!\w))"
)
_SPEED = r"(?:speed:?\s|скорость:?\s)?(?:up\s?to\s|до\s)?"
_BEGINS = r"(?:start(?:\stime)?|старт|запуск|начало)"
_FAST = r"(?:super|ultra|very|очень)"
_FIELD = r"(?:log(?:in)?|e-?mail|mail|user(?:name)?|phone|логин|почта|телефон|номер)"
_THOUSANDS = {"k": 1000, "к": 1000, "тыс": 1000, "thousand": 1000}
_MILLIONS = {"m": 10**6, "м": 10**6, "млн": 10**6, "million": 10**6}


def _count(digits: str, unit: str | None) -> int:
    word = (unit or "").lower().rstrip(".")
    factor = _THOUSANDS.get(word) or _MILLIONS.get(word) or 1
    if factor == 1 and re.fullmatch(r"\d{1,3}[.,]\d{3}", digits):
        digits = re.sub(r"[.,]", "", digits)  # what parts thousands
    whole, _point, part = digits.replace(",", ".").partition(".")
    return min(int(f"{whole}{part:0<3}"[: len(whole) + 3]) * factor // 1000, LARGEST)


def _span(found: "re.Match[str]", at: int = 1) -> list[int]:
    """Return the range that `_SPAN` matched: in "5-10K" both are thousands."""
    low, low_unit, high, high_unit = found.group(at, at + 1, at + 2, at + 3)
    if high is None:
        return [_count(low, low_unit)] * 2
    return sorted((_count(low, low_unit or high_unit), _count(high, high_unit)))


def _a_day(found: "re.Match[str]") -> list[int] | None:
    span = _span(found)
    return span if span[1] else None


def _an_hour(found: "re.Match[str]") -> list[int] | None:
    low, high = _span(found)
    return [low * 24, high * 24] if high else None


def _minutes(found: "re.Match[str]") -> list[int]:
    word = found[5].lower()
    factor = 1 if word.startswith(("m", "м")) else 60 if word.startswith(("h", "ч")) else 1440
    return [number * factor for number in _span(found)]


def _days(found: "re.Match[str]") -> int:
    return min(int(found[1]), LIFETIME_DAYS)


def _times(factor: int) -> Read:
    return lambda found: min(int(found[1]) * factor, LIFETIME_DAYS * 24) or None  # a warranty of nothing is none


def _always(value: Any) -> Read:
    return lambda _found: value


def _format(found: "re.Match[str]") -> str | None:
    text = found[1].strip().rstrip(".,")
    return text if 0 < len(text) <= LONGEST_FORMAT else None


def _words(fact: Fact, value: str, *patterns: str, plain: bool = False) -> list[Phrase]:
    """Return a phrase that says one of several things a service can have."""
    return [Phrase(fact, pattern, _always([value]), plain) for pattern in patterns]


def _limit(fact: Fact, word: str) -> list[Phrase]:
    """Return the phrases that say how many pieces there may be."""

    def read(found: re.Match[str]) -> Any:
        return _count(found[1], found[2]) or None

    return [
        Phrase(fact, rf"{word}:\s?{_COUNT}{_ONLY_PIECES}", read),
        Phrase(fact, rf"{word}[.]?\s?{_COUNT}{_ONLY_PIECES}", read, plain=False),
    ]


_LIMITS = [
    Phrase(Fact.SPEED, rf"{_SPEED}{_SPAN}\s?(?:/|per\s|a\s|в\s)\s?{_DAY}(?:\sspeed)?",
           _a_day),
    Phrase(Fact.SPEED, rf"{_SPEED}{_SPAN}\s?(?:/|per\s|an?\s|в\s)\s?{_HOUR}(?:\sspeed)?",
           _an_hour),
    # Without a colon these words are parts of names as well: Need for Speed 2015, HBO Max 12 months, 30 min 1000 views.
    Phrase(Fact.SPEED, rf"(?:speed|скорость):\s?(?:up\s?to\s|до\s)?{_SPAN}(?:\sdaily)?{_ONLY_PIECES}", _a_day),
    Phrase(Fact.SPEED, rf"(?:speed|скорость)\s(?:up\s?to\s|до\s)?{_SPAN}(?:\sdaily)?", _a_day, plain=False),
    *_limit(Fact.MOST, r"(?:max(?:imum)?|макс(?:имум)?)"),
    *_limit(Fact.LEAST, r"(?:min(?:imum)?|мин(?:имум)?)"),
]  # fmt: skip
_BEGINNINGS = [
    Phrase(Fact.START, rf"{_BEGINS}:?\s(?:in\s|within\s|до\s|через\s|от\s)?{_SPAN}\s?{_TIME}",
           _minutes),
    Phrase(Fact.START, rf"{_SPAN}\s?{_TIME}\s(?:start(?:\stime)?|старт)(?!:?\s?\d)", _minutes),
    Phrase(Fact.START, r"(?:start(?:\stime)?|старт):?\s(?:instant(?:ly)?|мгновенно|сразу)", _always([0, 0])),
    Phrase(Fact.START, r"(?:instant|immediate)\sstart|мгновенный\s(?:старт|запуск)|быстрый\sстарт", _always([0, 0])),
    Phrase(Fact.INCLUDES, r"instant\sdelivery|мгновенная\s(?:выдача|доставка)|автовыдача",
           _always(["instant_delivery"])),
    Phrase(Fact.START, r"instant(?:ly)?|мгновенн(?:о|ые)", _always([0, 0]), plain=False),
    Phrase(Fact.PACE, rf"(?:{_FAST}[\s-])?fast(?:\sspeed|\sdelivery)?|(?:{_FAST}\s)?быстр(?:о|ые|ая)", _always("fast"),
           plain=False),
    Phrase(Fact.PACE, r"slow(?:\sdrip|\sspeed)?|drip[\s-]?feed|gradual|постепенно|медленн(?:о|ые)", _always("slow"),
           plain=False),
]  # fmt: skip
_PROMISES = [
    Phrase(Fact.REFILL, rf"(?:no|non|not|without|zero|без|нет)[\s-](?:\d{{1,5}}\s?-?{_DAYS}\s)?{_REFILL}", _always(0)),
    Phrase(Fact.REFILL, rf"{_REFILL}\s?[:-]?\s(?:no(?:ne)?|нет)(?![\s-]\w)", _always(0)),
    Phrase(Fact.REFILL, rf"(?:life\s?time|permanent|вечная|пожизненн\w{{1,3}})\s{_REFILL}", _always(LIFETIME_DAYS)),
    Phrase(Fact.REFILL, rf"{_REFILL}:?\s(?:life\s?time|навсегда|пожизненно)", _always(LIFETIME_DAYS)),
    Phrase(Fact.REFILL, rf"(\d{{1,5}})\s?-?{_DAYS}\s{_REFILL}(?:\s(?:guaranteed?|button))?", _days),
    Phrase(Fact.REFILL, rf"{_REFILL}:?\s(?:на\s)?(\d{{1,5}})\s?-?{_DAYS}", _days),
    Phrase(Fact.REFILL, rf"(\d{{1,3}})\s?{_MONTHS}\s{_REFILL}", _times(30)),
    Phrase(Fact.REFILL, rf"(\d{{1,2}})\s?{_YEARS}\s{_REFILL}", _times(365)),
    # These alone, and with a large R: there are cards of R200 (rand), and a Yamaha R1.
    Phrase(Fact.REFILL, r"(?-i:R)(7|15|30|45|60|90|120|180|365)", _days),
    Phrase(Fact.WARRANTY, rf"(\d{{1,5}})\s?{_HOURS}\s{_COVER}", _times(1)),
    Phrase(Fact.WARRANTY, rf"{_COVER}:?\s(?:within\s|в\sтечение\s)?(\d{{1,5}})\s?{_HOURS}", _times(1)),
    Phrase(Fact.WARRANTY, rf"(\d{{1,4}})\s?-?{_DAYS}\s{_COVER}", _times(24)),
    Phrase(Fact.WARRANTY, rf"{_COVER}:?\s(?:within\s|в\sтечение\s|на\s)?(\d{{1,4}})\s?-?{_DAYS}", _times(24)),
    Phrase(Fact.WARRANTY, rf"(?:life\s?time|permanent|вечная|пожизненная)\s{_COVER}", _always(LIFETIME_DAYS * 24)),
    Phrase(Fact.DROP, r"(?:no|non|zero|without)[\s-]drops?|без\s(?:списаний|отписок)", _always([0, 0])),
    Phrase(Fact.DROP, r"(?:low|less|little)[\s-]drops?|мало\s(?:списаний|отписок)", _always("low")),
    Phrase(Fact.DROP, rf"(?:drops?(?:\srate)?|списани[яе]|отписки):?\s(?:up\s?to\s|до\s)?{_PERCENT}",
           lambda found: sorted((int(found[1]), int(found[2] or found[1])))),
    Phrase(Fact.DROP, rf"{_PERCENT}\s(?:drops?|списаний|отписок)",
           lambda found: sorted((int(found[1]), int(found[2] or found[1])))),
]  # fmt: skip
_GOODS = [
    Phrase(Fact.FORMAT, r"(?:format|формат)\s?[:\-]?\s?([^\s:;][^\s:;|]*(?:[:;][^\s:;|]+){1,9})", _format),
    Phrase(Fact.FORMAT, rf"({_FIELD}[:;](?:pass(?:word)?|пароль)(?:[:;][^\s:;|]+){{0,8}})", _format),
    Phrase(Fact.TERM, rf"(\d{{1,3}})[\s-]?{_MONTHS}", lambda found: int(found[1]) or None, plain=False),
    Phrase(Fact.TERM, rf"(\d{{1,2}})[\s-]?{_YEARS}", lambda found: int(found[1]) * 12 or None, plain=False),
    Phrase(Fact.TERM, r"life\s?time|навсегда", _always(LIFETIME_MONTHS), plain=False),
    Phrase(Fact.YEAR, r"(?:(?:reg(?:istered|\.)?|aged|год(?:\sрегистрации)?)[:\s]\s?)?"
           r"(20(?:0[4-9]|[12]\d)(?:-20(?:0[4-9]|[12]\d))?)(?:\s(?:year|год))?", lambda found: found[1], plain=False),
    *_words(Fact.INCLUDES, "full_warranty", r"full\swarranty|полная\sгарантия", plain=True),
    *_words(Fact.INCLUDES, "2fa", r"(?:with\s|с\s)?2fa(?:\sincluded|\senabled|\skey)?|двухфакторная\sзащита"),
    *_words(Fact.INCLUDES, "phone", r"phone[\s-]verified|sms[\s-]verified|pva|с\sподтвержд[её]нным\sтелефоном"),
    *_words(Fact.INCLUDES, "email", r"e-?mail[\s-](?:verified|included)|с\sподтвержд[её]нной\sпочтой",
            r"почта\sв\sкомплекте"),
    *_words(Fact.INCLUDES, "recovery", r"(?:with\s)?recovery\s(?:e-?mail|mail)(?:\sincluded)?|с\sрезервной\sпочтой"),
    *_words(Fact.INCLUDES, "cookies", r"(?:with\s|с\s)?cookies(?:\sincluded)?|куки"),
    *_words(Fact.INCLUDES, "full_access", r"full\saccess|полный\sдоступ"),
    *_words(Fact.INCLUDES, "private", r"private|личный"),
    *_words(Fact.INCLUDES, "shared", r"shared|общий"),
    *_words(Fact.INCLUDES, "renewable", r"renewable|с\sпродлением"),
    *_words(Fact.INCLUDES, "new_key", r"new\skey|новый\sключ"),
]  # fmt: skip
_QUALITIES = [
    *_words(Fact.QUALITY, "organic", r"(?:100\s?%\s)?organic|(?:100\s?%\s)?органик[аи]"),
    *_words(Fact.QUALITY, "real", r"(?:100\s?%\s)?real|жив(?:ые|ых|ой)|реальные"),
    *_words(Fact.QUALITY, "high", r"(?:super\s|ultra\s)?hq|high[\s-]quality|высокое\sкачество|качественные"),
    *_words(Fact.QUALITY, "low", r"lq|low[\s-]quality|низкое\sкачество"),
    *_words(Fact.QUALITY, "premium", r"premium|премиум"),
    *_words(Fact.QUALITY, "mixed", r"mix(?:ed)?(?:\squality)?|разные|микс"),
    *_words(Fact.QUALITY, "old", r"old(?:\saccounts?|\sprofiles)|старые\sаккаунты"),
    *_words(Fact.QUALITY, "active", r"active|активные"),
    *_words(Fact.QUALITY, "economy", r"economy|cheap(?:est)?|эконом|деш[её]вые"),
    *_words(Fact.QUALITY, "bots", r"bots?|боты?"),
]
PHRASES = (*_LIMITS, *_BEGINNINGS, *_PROMISES, *_GOODS, *_QUALITIES)

_PATTERNS = [re.compile(phrase.pattern, re.IGNORECASE) for phrase in PHRASES]
_GROUP = re.compile(r"\((?!\?)")  # the patterns' own groups: nested in one large pattern they would only be in the way
_ANY = re.compile(
    "|".join(rf"(?P<p{number}>(?<![\w.,/])(?:{_GROUP.sub('(?:', phrase.pattern)})(?![\w%]))"
             for number, phrase in enumerate(PHRASES)),
    re.IGNORECASE,
)  # fmt: skip


def phrases_in(text: str) -> tuple[Found, ...]:
    """Return the phrases that stand in a text, in their order; they don't overlap."""
    found = []
    for match in _ANY.finditer(text):
        number = int((match.lastgroup or "p0")[1:])
        inner = _PATTERNS[number].fullmatch(match[0])
        value = PHRASES[number].read(inner) if inner else None
        if value is not None:
            found.append(Found(PHRASES[number].fact.value, value, *match.span(), PHRASES[number].plain))
    return tuple(found)
