"""What to try where nothing was found: each suggestion has been looked for, and finds something."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from django.utils.translation import gettext as _

from catalog.browse.category_index import CategoryIndex, ShownCategory
from catalog.browse.forms import ListingQuery
from catalog.words.terms import terms_of
from upstream.reading.text import searchable

MAX_SUGGESTED = 6
MAX_CATEGORIES = 3
MAX_LOOKED_AT = 10  # each is a query
MAX_WORDS = 5


@dataclass(frozen=True)
class Suggestion:
    """Another question, and what a link to it says."""

    label: str
    query: ListingQuery


@dataclass(frozen=True)
class Filter:
    """What narrows a list: its label, and the changes to the question that take it away."""

    label: str
    without: dict[str, object]


def suggest(
    asked: ListingQuery,
    filters: Iterable[Filter],
    corrections: Iterable[str],
    category_index: CategoryIndex,
    finds: Callable[[ListingQuery], bool],
    *,
    fixed: bool,
) -> list[Suggestion]:
    """Return what finds something where this question finds nothing, and categories to look in.

    `corrections` of its words come first, then what asks for less. `finds` says whether a question finds anything;
    `fixed`: the category stays where it can, for its page is being read. Ten questions are tried at most.
    """
    found: list[Suggestion] = []
    tried = {asked}
    for suggestion in _less(asked, list(filters), list(corrections), fixed=fixed):
        if len(found) == MAX_SUGGESTED or len(tried) > MAX_LOOKED_AT:
            break
        # The same words with filters and without are two questions, of which the first that finds something is enough.
        if suggestion.query in tried or suggestion.label in {each.label for each in found}:
            continue
        tried.add(suggestion.query)
        if finds(suggestion.query):
            found.append(suggestion)
    if asked.words:
        named = _categories(asked.words, category_index)
        found += [Suggestion(each.title, ListingQuery(category_id=each.pk)) for each in named]
    return found


def _less(asked: ListingQuery, filters: list[Filter], corrections: list[str], *, fixed: bool) -> Iterator[Suggestion]:
    """Yield what asks for less, what changes least first; some of it may be the same."""
    only = _("Only “%(word)s”")
    plain = ListingQuery(words=asked.words, category_id=asked.category_id if fixed else None)
    for meant in corrections:
        yield Suggestion(meant, replace(plain, words=meant))
    for each in filters:
        yield Suggestion(_("Without “%(filter)s”") % {"filter": each.label}, asked.with_(**each.without))
    if asked.words and len(filters) > 1:
        yield Suggestion(_("Only the search words"), plain)
    if fixed and asked.words:
        yield Suggestion(_("In all categories"), ListingQuery(words=asked.words))
    words = asked.words.split()[:MAX_WORDS]
    if len(words) > 2:
        for place in range(len(words)):
            fewer = " ".join(words[:place] + words[place + 1 :])
            yield Suggestion(only % {"word": fewer}, replace(plain, words=fewer))
    if len(words) > 1:
        meant_ones = corrections[0].split()[:MAX_WORDS] if corrections else []
        singly = list(dict.fromkeys((*meant_ones, *words)))
        for word in singly:
            yield Suggestion(only % {"word": word}, asked.with_(words=word))
        for word in singly:
            yield Suggestion(only % {"word": word}, replace(plain, words=word))


def _categories(words: str, category_index: CategoryIndex) -> list[ShownCategory]:
    """Return the categories on sale that are called by one of the words, else the largest ones."""
    terms = terms_of(words)
    on_sale = category_index.on_sale
    called = [each for each in on_sale if any(term.is_in(searchable(f"{each.name} {each.title}")) for term in terms)]
    return (called or sorted(on_sale, key=lambda each: -each.services_count))[:MAX_CATEGORIES]
