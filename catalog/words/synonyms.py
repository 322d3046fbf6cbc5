"""The table of synonyms as searches read it: kept by the process for as long as the catalog stays the same."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from catalog.caching.version import recent_version
from catalog.models import SearchSynonym, SearchWord

MAX_OTHERS = 12
# Which of the words services are described with is learned without a new version of the catalog.
KEPT_SECONDS = 60


@dataclass(frozen=True)
class Synonyms:
    """Other words by word or phrase; `longest` is how many words the longest of the phrases has."""

    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    typed: frozenset[str] = frozenset()  # what the table has as typed: known words, if no service says them
    longest: int = 1


_kept: tuple[int, float, Synonyms] | None = None


def synonyms() -> Synonyms:
    """Return the table as it is now; two queries once a minute in a process, and after each change of the catalog."""
    global _kept
    version, now = recent_version(), time.monotonic()
    if _kept is None or _kept[0] != version or _kept[1] < now:
        _kept = version, now + KEPT_SECONDS, _read()
    return _kept[2]


def _read() -> Synonyms:
    """Read the table both ways: whoever types "ig" finds "instagram", and whoever types that finds "ig".

    The second only where a service says so, or each search for a common word would look for a dozen others.
    """
    finds = {row.typed: tuple(row.phrases) for row in SearchSynonym.objects.all()}
    parts = {word for typed in finds for word in typed.split()}
    said = set(SearchWord.objects.filter(word__in=parts).values_list("word", flat=True))
    typed_for: dict[str, list[str]] = {}
    for typed, phrases in finds.items():
        if said.issuperset(typed.split()):
            for phrase in phrases:
                typed_for.setdefault(phrase, []).append(typed)
    others = {}
    for phrase in {*finds, *typed_for}:
        meant = (phrase, *finds.get(phrase, ()))
        alike = (other for each in meant for other in typed_for.get(each, ()))
        found = dict.fromkeys((*meant[1:], *alike))
        others[phrase] = tuple(other for other in found if other != phrase)[:MAX_OTHERS]
    longest = max((len(phrase.split()) for phrase in others), default=1)
    return Synonyms(others, frozenset(finds), longest)
