"""Filters of long lists whose choices are known: Django's own would read the whole table to learn them."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise

Choices = Iterable[tuple[str, str | Promise]]


def known_values(column: str, called: str | Promise, choices: Callable[[], Choices]) -> type[admin.SimpleListFilter]:
    """Return a filter by the values of a column, as `?column=value`; `choices` are asked with every page."""

    class KnownValues(admin.SimpleListFilter):
        title = called  # type: ignore[assignment]  # the stubs know lazy texts by another name
        parameter_name = column

        def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
            return [(value, str(label)) for value, label in choices()]

        def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
            return queryset.filter(**{column: self.value()}) if self.value() else queryset

    return KnownValues
