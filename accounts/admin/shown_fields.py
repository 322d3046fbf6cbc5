"""What an admin page shows. Only that may be filtered, searched and ordered by, whoever asks.

A list that can be filtered by a column tells the column, letter by letter: whoever sees that a row is still there after
`?code__startswith=4` knows a digit. So a list is filtered by its own filters and by nothing else, superusers included.
"""

from collections.abc import Iterable
from typing import Any

from django.contrib.admin.utils import flatten, flatten_fieldsets, get_fields_from_path
from django.core.exceptions import FieldDoesNotExist
from django.db.models.constants import LOOKUP_SEP
from django.http import HttpRequest

Pages = Any  # `accounts.admin.widgets.ModelAdmin`, which imports this module

# What a filter of Django or of the theme adds to the path of its field.
OF_FILTERS = ("", "__exact", "__isnull", "__isempty", "__gte", "__lt")
OF_DATES = ("__year", "__month", "__day")
# Before a search field: how it is compared, see `get_search_results`.
HOW = "^=@"
# Made of the names of a row, which every page of it shows.
MADE_OF_NAMES = "search_text"


def may_filter(pages: Pages, request: HttpRequest, parameter: str) -> bool:
    """Say whether a list may be asked for with this parameter: one of its filters, of its dates or of our own links."""
    if parameter in pages.linked_by:
        return True
    hierarchy = pages.date_hierarchy
    if hierarchy and parameter in {f"{hierarchy}{part}" for part in OF_DATES}:
        return True
    return any(parameter in _parameters(pages, one) for one in pages.get_list_filter(request))


def searchable(pages: Pages, request: HttpRequest, fields: Iterable[str]) -> list[str]:
    """Return those of the search fields that are shown here, or on pages that this person may look at."""
    wanted = list(fields)
    shown = shown_here(pages, request) if wanted else set()
    return [field for field in wanted if _is_searchable(pages, request, field.lstrip(HOW), shown)]


def shown_here(pages: Pages, request: HttpRequest) -> set[str]:
    """Return the fields that the list and the page of a row show, as paths; a column by what it is ordered by, too."""
    columns: list[Any] = [
        *pages.get_list_display(request),
        *flatten_fieldsets(pages.get_fieldsets(request)),
        *flatten(pages.fields or ()),
        *pages.readonly_fields,
        *pages.get_readonly_fields(request),
    ]
    shown = {MADE_OF_NAMES, pages.opts.pk.name}
    for column in columns:
        shown.update(_paths(pages, column))
    if "__str__" in columns:
        shown.update(pages.named_by)
    return shown


def _parameters(pages: Pages, one: Any) -> set[str]:
    """Return the parameters that a filter of the list reads."""
    path = one[0] if isinstance(one, list | tuple) else one
    if not isinstance(path, str):
        return {path.parameter_name}
    field = get_fields_from_path(pages.model, path)[-1]
    found = {f"{path}{lookup}" for lookup in OF_FILTERS}
    if field.is_relation and field.related_model is not None:
        target = getattr(field, "target_field", None) or field.related_model._meta.pk
        found.add(f"{path}__{target.name}__exact")
    return found


def _paths(pages: Pages, column: Any) -> Iterable[str]:
    if isinstance(column, str):
        yield column
        column = getattr(pages, column, None) or getattr(pages.model, column, None)
    ordering = getattr(column, "admin_order_field", None)
    if isinstance(ordering, str):
        yield ordering.removeprefix("-")


def _is_searchable(pages: Pages, request: HttpRequest, path: str, shown: set[str]) -> bool:
    relations, name, owner = _taken_apart(pages.model, path)
    if LOOKUP_SEP.join([*relations, name]) in shown:
        return True
    return bool(relations) and (
        _is_named(pages, [*relations, name], shown) or _shown_elsewhere(pages, request, owner, name)
    )


def _is_named(pages: Pages, path: list[str], shown: set[str]) -> bool:
    """Say whether a relation is shown in words that hold the field: a wallet by its owner's address."""
    model = pages.model
    for length in range(1, len(path)):
        model = model._meta.get_field(path[length - 1]).related_model
        named = _pages_of(pages, model)
        words = {MADE_OF_NAMES} if named is None else {MADE_OF_NAMES, named.opts.pk.name, *named.named_by}
        if LOOKUP_SEP.join(path[:length]) in shown and LOOKUP_SEP.join(path[length:]) in words:
            return True
    return False


def _shown_elsewhere(pages: Pages, request: HttpRequest, owner: Any, name: str) -> bool:
    """Say whether the field is shown on the pages of its own model, and this person may look at those."""
    others = _pages_of(pages, owner)
    return others is not None and others.has_view_permission(request) and name in shown_here(others, request)


def _pages_of(pages: Pages, model: Any) -> Pages | None:
    return pages.admin_site._registry.get(model)


def _taken_apart(model: Any, path: str) -> tuple[list[str], str, Any]:
    """Return the relations that a path follows, the field it ends at, and that field's model; without the lookup."""
    relations: list[str] = []
    field: Any = None
    for part in path.split(LOOKUP_SEP):
        owner = model if field is None else field.related_model if field.is_relation else None
        found = _field(owner, part)
        if found is None:
            break  # a lookup, like "exact"
        if field is not None:
            relations.append(field.name)
        model, field = owner, found
    return relations, field.name if field is not None else path, model


def _field(model: Any, name: str) -> Any:
    if model is None:
        return None
    try:
        return model._meta.pk if name == "pk" else model._meta.get_field(name)
    except FieldDoesNotExist:
        return None
