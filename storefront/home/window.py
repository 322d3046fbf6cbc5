"""The shop window: categories under their headings, what sells best first."""

from dataclasses import dataclass

from django.db.models import Sum

from catalog.browse.category_index import CategoryIndex, ShownCategory
from catalog.browse.groups import by_group
from catalog.caching.version import Version
from catalog.caching.versioned_cache import cache_key, process_cached
from catalog.models import CategoryGroup, Service

FIRST_GROUP, OTHER_GROUPS = 12, 6  # categories shown of a group


@dataclass(frozen=True)
class ShownGroup:
    """One heading of the window and the categories under it; `count` is how many there are in all."""

    group: CategoryGroup
    categories: list[ShownCategory]
    count: int

    @property
    def has_more(self) -> bool:
        return self.count > len(self.categories)


def shop_window(index: CategoryIndex, version: Version) -> list[ShownGroup]:
    """Return what is on sale by group; one query where nobody has asked at this version before."""
    bought = process_cached(cache_key("bought_by_category"), version.without_stock, lambda: _bought(index))
    places = {category.pk: place for place, category in enumerate(index.on_sale)}

    def popular(category: ShownCategory) -> tuple[int, int, int]:
        # Where little is sold yet, what everybody knows comes first.
        return -bought.get(category.pk, 0), category.kind.rank, places[category.pk]

    groups = by_group(sorted(index.on_sale, key=popular))
    return [
        ShownGroup(group, categories[: OTHER_GROUPS if place else FIRST_GROUP], len(categories))
        for place, (group, categories) in enumerate(groups)
    ]


def _bought(index: CategoryIndex) -> dict[int, int]:
    """Orders of the last 30 days by shown category."""
    services = Service.objects.on_sale_in_any_category().filter(bought_lately__gt=0).order_by()
    found: dict[int, int] = {}
    for category_id, bought in (
        services.values("category_id").annotate(bought=Sum("bought_lately")).values_list("category_id", "bought")
    ):
        category = index.category(category_id)
        if category is not None:
            found[category.pk] = found.get(category.pk, 0) + bought
    return found
