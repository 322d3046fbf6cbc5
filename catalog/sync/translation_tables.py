"""Translated names of services, read and written in bulk; only what differs is written."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Q

from catalog.models import Category, Service, Subcategory, TranslatedName
from catalog.sync import tables
from catalog.sync.names import Names, own_names
from catalog.sync.translations import with_translation


class NamedService(NamedTuple):
    """A service with everything that its search text is made of."""

    id: int
    upstream_id: int
    name: str
    display_name: str
    short_title_override: str
    category_id: int
    subcategory_id: int | None
    upstream_category_id: int | None  # where staff has moved it
    translated_names: dict[str, str]
    search_text: str
    short_titles: dict[str, str]

    def found_by(self, names: Names) -> str:
        """Return what `search_text` should be."""
        place = self.category_id, self.subcategory_id
        own = own_names(self.display_name, self.short_title_override)
        return names.search_text(self.name, own, *place, self.translated_names)


def services_by_upstream_id(upstream_ids: Iterable[int]) -> Iterator[NamedService]:
    """Yield the services with these upstream ids."""
    return _read(Q(upstream_id__in=tables.set_of([*upstream_ids])))


def services_of(category_ids: Iterable[int]) -> Iterator[NamedService]:
    """Yield the services of these categories, and of those that are shown in them."""
    chosen = [*category_ids]
    return _read(Q(category__in=tables.set_of(chosen)) | Q(category__merged_into__in=tables.set_of(chosen)))


def _read(which: Q) -> Iterator[NamedService]:
    rows = Service.objects.order_by().filter(which).values_list(*NamedService._fields)
    return map(NamedService._make, rows.iterator(chunk_size=tables.READ_AT_ONCE))


def write_services(rows: Iterable[NamedService]) -> int:
    """Write the translated names and what follows from them of these services; return how many rows that were."""
    changed = [(row.id, _json(row.translated_names), _json(row.short_titles), row.search_text) for row in rows]
    if not changed:
        return 0
    if connection.vendor == "postgresql":
        _write_through_staging(changed)
    else:
        with connection.cursor() as cursor:
            cursor.executemany(
                f"UPDATE {tables.TABLE} SET translated_names = %s, short_titles = %s, search_text = %s WHERE id = %s",  # noqa: S608 - our own names
                [(translated, short, text, pk) for pk, translated, short, text in changed],
            )
    return len(changed)


def _write_through_staging(rows: Sequence[tuple[Any, ...]]) -> None:
    written = ("translated_names", "short_titles", "search_text")
    assignments = ", ".join(f"{column} = {tables.STAGING}.{column}" for column in written)
    tables.update_through_staging(("id", *written), assignments, rows)


def _json(value: dict[str, str]) -> str:
    return json.dumps(value, ensure_ascii=False)


def write_names(model: type[TranslatedName], code: str, names: dict[int, str]) -> list[int]:
    """Set what these rows are called in one language, "" for English; return the ids of those that had another name."""
    changed = []
    for row in model._default_manager.filter(pk__in=names).only("pk", "translated_names"):
        if row.translated_names.get(code, "") != names[row.pk]:
            row.translated_names = with_translation(row.translated_names, code, names[row.pk])
            changed.append(row)
    model._default_manager.bulk_update(changed, ["translated_names"], batch_size=200)
    return [row.pk for row in changed]


def untranslated(code: str) -> dict[str, int]:
    """Return how many of what is on sale have no name in the language, and none that the shop gave them."""
    services = Service.objects.on_sale()
    without = {"translated_names__has_key": code}
    categories = Category.objects.shown().filter(services__in=services).distinct()
    subcategories = Subcategory.objects.filter(services__in=services).distinct()
    return {
        "services": services.filter(display_name="").exclude(**without).count(),
        "categories": categories.filter(display_name="").exclude(**without).exclude(own_names__has_key=code).count(),
        "subcategories": subcategories.exclude(**without).count(),
    }
