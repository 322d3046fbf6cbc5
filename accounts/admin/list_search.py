"""What is typed into the search box of a list: every word is found in one of the fields that the list is searched by.

Rows of other tables are looked up first, by themselves, and then the rows that refer to them: a condition over several
tables at once can use no index, and of a million rows each would be read. Where a table grows with every order, its
fields say how they are compared: `reference__startswith` uses the index of the reference, while without a lookup the
words may stand anywhere, which only small tables, and texts with an index for it, can afford. Stored search texts hold
what of a text is compared, without signs: so are the words that are looked for in them.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import reduce
from operator import and_
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Model, Q
from django.db.models.constants import LOOKUP_SEP
from django.utils.text import smart_split, unescape_string_literal

from accounts.admin.short_count import LEAFED_THROUGH
from accounts.admin.shown_fields import MADE_OF_NAMES
from upstream.reading.text import words_of

# Before a field, as Django writes it; see `ModelAdmin.search_fields`.
PREFIXES = {"^": "istartswith", "=": "iexact", "@": "search"}
_QUOTES = ('"', "'")
# What may be found by a part of it.
TEXTS = ("CharField", "TextField", "EmailField", "URLField", "SlugField", "GenericIPAddressField")
# What was looked up for the search that is under way: ids by the table, the fields and the word; None: nothing is kept.
_kept: ContextVar[dict[tuple[Any, ...], list[Any]] | None] = ContextVar("looked_up", default=None)


@contextmanager
def looked_up_once() -> Iterator[None]:
    """Look up the rows that others refer to, such as customers, once for all lists that are searched meanwhile."""
    token = _kept.set({})
    try:
        yield
    finally:
        _kept.reset(token)


def found_by(model: type[Model], fields: Iterable[str], typed: str) -> Q:
    """Return the condition for rows that have each word in one of the fields; what is in quotes is one word.

    `fields` are those of `ModelAdmin.search_fields`: columns, and paths over foreign keys. Of the rows that a path
    leads over, the newest ten thousand count.
    """
    found, paths = Q(), tuple(fields)
    by_sight = any(MADE_OF_NAMES in path for path in paths)
    for word in _words(typed, with_signs=not by_sight):
        found &= _has(model, paths, word)
    return found


def _words(typed: str, *, with_signs: bool) -> list[str]:
    """Return the words; signs between two words, "likes & views", are none where stored texts have no signs."""
    words = []
    for word in smart_split(typed):
        quoted = word[0] in _QUOTES and word[0] == word[-1] and len(word) > 1
        words.append(unescape_string_literal(word) if quoted else word)
    words = [word for word in words if word.strip()]
    return words if with_signs else [word for word in words if len(words_of(f"a {word}")) > 1] or words


def _has(model: type[Model], paths: Iterable[str], word: str) -> Q:
    found, referred = Q(pk__in=()), defaultdict[str, list[str]](list)
    for path in paths:
        prefix = path[0] if path[0] in PREFIXES else ""
        first, _dots, rest = path.removeprefix(prefix).partition(LOOKUP_SEP)
        field: Any = model._meta.get_field("id" if first == "pk" else first)
        if not field.is_relation:
            found |= _column(field, rest or PREFIXES.get(prefix, ""), word)
        elif rest.split(LOOKUP_SEP)[0] in ("id", "pk"):  # it is in the row itself
            found |= _column(field.target_field, "exact", word, name=field.attname)
        else:
            referred[first].append(f"{prefix}{rest}")
    for name, others in referred.items():
        found |= Q(**{f"{name}__in": referred_rows(model._meta.get_field(name), others, word)})
    return found


def _column(field: Any, lookup: str, word: str, *, name: str = "") -> Q:
    """Return the condition for a word in a column; one that holds no text has it exactly, or not at all."""
    name = name or field.name
    if name == MADE_OF_NAMES:
        return reduce(and_, (Q(**{f"{name}__contains": part}) for part in words_of(word)), Q())
    if field.get_internal_type() in TEXTS:
        if lookup == "startswith":  # references are written in capital letters, and typed as it comes
            return Q(**{f"{name}__startswith": word}) | Q(**{f"{name}__startswith": word.upper()})
        return Q(**{f"{name}__{lookup or 'icontains'}": word})
    try:
        return Q(**{name: field.clean(word.removeprefix("#"), None)})
    except ValidationError:
        return Q(pk__in=())


def referred_rows(field: Any, paths: Iterable[str], word: str, *, most: int = LEAFED_THROUGH) -> list[Any]:
    """Return what a foreign key holds for the rows that have the word in one of the fields, the newest first."""
    kept, other, called = _kept.get(), field.related_model, field.target_field.name
    if kept is None:
        return _look_up(other, called, paths, word, most)
    key = (other, called, tuple(paths), word)
    if key not in kept:
        kept[key] = _look_up(other, called, paths, word, LEAFED_THROUGH)
    return kept[key][:most]


def _look_up(model: Any, called: str, paths: Iterable[str], word: str, most: int) -> list[Any]:
    rows = model._default_manager.filter(_has(model, paths, word)).order_by("-pk")
    return list(rows.values_list(called, flat=True)[:most])
