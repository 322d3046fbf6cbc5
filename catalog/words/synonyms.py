"""The table of synonyms as searches read it: kept by the process for as long as the catalog stays the same."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from catalog.caching.version import recent_version
from catalog.caching.versioned_cache import cache_key, forget_cached, process_cached
from catalog.models import SearchSynonym, SearchWord

MAX_OTHERS = 12


@dataclass(frozen=True)
class Synonyms:
    """Other words by word or phrase; `longest` is how many words the longest of the phrases has."""

    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    typed: frozenset[str] = frozenset()  # what the table has as typed: known words, if no service says them
    longest: int = 1
    said: str = ""  # every word that services are described with, each on a line of its own


def synonyms() -> Synonyms:
    """Return the table as it is now; two queries after each change of the catalog or of the words that are known."""
    return process_cached(_key(), recent_version().without_stock, _read)


def forget_synonyms() -> None:
    """Have the table read again: words have been learned, which makes no new version of the catalog."""
    forget_cached(_key())


def _key() -> str:
    return cache_key("search_synonyms")


def _read() -> Synonyms:
    """Read the table both ways: whoever types "ig" finds "instagram", and whoever types that finds "ig".

    The second only where a service says so, or each search for a common word would look for a dozen others.
    """
    finds = {row.typed: tuple(row.phrases) for row in SearchSynonym.objects.all()}
    said = set(SearchWord.objects.values_list("word", flat=True))
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
    return Synonyms(others, frozenset(finds), longest, "\n".join(["", *said, ""]))
