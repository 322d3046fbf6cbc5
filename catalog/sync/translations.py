"""What an answer in another language says about names. Pure: no database, no network.

A row is known by its id. Text is never found by comparing it with English text: what comes back in English has no
translation, and which of two equal names is meant only their ids can tell.
"""

from collections.abc import Mapping, Sequence

from catalog.sync.fetch import LONGEST
from catalog.sync.spellings import Pair
from upstream.protocol.wire import CategoryRow
from upstream.reading.text import comparable

MAX_SPELLINGS = 20  # that are counted of one category: more are no names

Tally = dict[str, dict[str, int]]  # a category's id as text, as JSON has it: how many rows call it what


def translation_of(answer: str, english: str, *, longest: int) -> str:
    """Return the name an answer has in its language; "" when it is the English one again, or cannot be kept."""
    name = answer.strip()
    seen = comparable(name)
    return name if seen and seen != comparable(english) and len(name) <= longest else ""


def with_translation(translated: Mapping[str, str], code: str, name: str) -> dict[str, str]:
    """Return the names by language with this one in its place, or without it when it is ""."""
    others = {each: known for each, known in translated.items() if each != code}
    return {**others, code: name} if name else others


def count_name(tally: Tally, category_id: int, name: str) -> None:
    """Count what a row calls its category."""
    spellings = tally.setdefault(str(category_id), {})
    name = name.strip()
    if name in spellings or len(spellings) < MAX_SPELLINGS:
        spellings[name] = spellings.get(name, 0) + 1


def usual_names(tally: Tally) -> dict[int, str]:
    """Return what most rows call each category; of several that are as frequent the first."""
    return {int(pk): max(spellings, key=lambda name: spellings[name]) for pk, spellings in tally.items() if spellings}


def subcategory_names(
    english: Sequence[CategoryRow], translated: Sequence[CategoryRow], known: Mapping[str, str]
) -> dict[Pair, str]:
    """Return what subcategories are called in the other language, by English category and subcategory.

    Nothing but its place says which translated name is whose. So both answers have to be of one shape, and each place
    whose category is `known` (English name → the one its services carry) has to agree. Even then a list that is in
    alphabetical order in both languages was perhaps sorted in each: of it only a single name counts, and what other
    lists have shown.
    """
    if not _same_shape(english, translated):
        return {}
    places = [(mine, theirs) for mine, theirs in zip(english, translated, strict=True) if mine.category in known]
    if any(comparable(theirs.category) != comparable(known[mine.category]) for mine, theirs in places):
        return {}
    if any(_moved(mine.subcategories, theirs.subcategories) for mine, theirs in places):
        return {}
    found: dict[Pair, str] = {}
    shown: set[Pair] = set()  # (English name, translated name)
    doubtful: list[tuple[str, str, str]] = []
    for mine, theirs in places:
        sorted_in_both = len(mine.subcategories) > 1 and _sorted(mine.subcategories) and _sorted(theirs.subcategories)
        for name, answer in zip(mine.subcategories, theirs.subcategories, strict=True):
            if sorted_in_both:
                doubtful.append((mine.category, name, answer))
            else:
                shown.add((name, answer))
                found[mine.category, name] = translation_of(answer, name, longest=LONGEST["category"])
    found |= {
        (category, name): translation_of(answer, name, longest=LONGEST["category"])
        for category, name, answer in doubtful
        if (name, answer) in shown
    }
    return found


def _same_shape(english: Sequence[CategoryRow], translated: Sequence[CategoryRow]) -> bool:
    sizes = [[len(row.subcategories) for row in rows] for rows in (english, translated)]
    return sizes[0] == sizes[1]


def _moved(english: Sequence[str], translated: Sequence[str]) -> bool:
    """Whether a name that came back in English stands in another place."""
    places = {comparable(name): place for place, name in enumerate(english)}
    return any(places.get(comparable(name), place) != place for place, name in enumerate(translated))


def _sorted(names: Sequence[str]) -> bool:
    folded = [comparable(name) for name in names]
    return folded == sorted(folded)
