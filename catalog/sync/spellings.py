"""Names that look alike are one name: the one that the shop has, else the first that upstream gave."""

from collections import defaultdict
from collections.abc import Iterable

from django.db import transaction

from catalog.models import Category
from upstream.reading.text import comparable, named

Pair = tuple[str, str]  # category, subcategory


class Spellings:
    """What each spelling of some names stands for. A name that the shop has stands for itself."""

    def __init__(self, known: Iterable[str] = ()) -> None:
        self._meant: dict[str, str] = {}
        self._first: dict[str, str] = {}
        for name in known:
            self._meant[name] = name
            self._first.setdefault(comparable(name) or name, name)

    def of(self, name: str) -> str:
        """Return the name that this one stands for; a new one stands for all that look like it from now on."""
        meant = self._meant.get(name)
        if meant is None:
            meant = self._meant[name] = self._first.setdefault(comparable(name) or name, name)
        return meant


class NameBook:
    """The names of all categories and of the subcategories of each, the oldest first."""

    def __init__(self, categories: Iterable[str] = (), pairs: Iterable[Pair] = ()) -> None:
        self._categories = Spellings(categories)
        of_category: dict[str, list[str]] = defaultdict(list)
        for category, subcategory in pairs:
            of_category[category].append(subcategory)
        self._subcategories = {category: Spellings(names) for category, names in of_category.items()}

    def category(self, name: str) -> str:
        """Return the category that upstream means by this name."""
        return self._categories.of(name)

    def subcategory(self, category: str, name: str) -> str:
        """Return the subcategory that upstream means by this name, in a category as `category` returns it."""
        return self._subcategories.setdefault(category, Spellings()).of(name)


@transaction.atomic
def tidy_categories() -> int:
    """Show categories whose names look alike as one, under the oldest; return how many rows changed.

    They are merged as staff merges them: each keeps its services, its delivery, its rate unit and its rules. Names
    that were stored with entities or with characters nobody sees are put right where no other category has the name.
    """
    changed: set[int] = set()
    categories = list(Category.objects.order_by("pk").only("pk", "name", "merged_into_id"))
    taken = {category.name for category in categories}
    first: dict[str, Category] = {}
    into = defaultdict(list)
    for category in categories:
        into[category.merged_into_id].append(category)
    for category in categories:
        if (plain := named(category.name)) and plain != category.name and plain not in taken:
            taken.add(plain)
            category.name = plain
            changed.add(category.pk)
        target = first.setdefault(comparable(category.name) or category.name, category)
        shown_as = target.merged_into_id or target.pk
        if category.merged_into_id is None and category.pk not in (target.pk, shown_as):
            for moved in (category, *into[category.pk]):
                moved.merged_into_id = shown_as
                changed.add(moved.pk)
    rows = [category for category in categories if category.pk in changed]
    Category.objects.bulk_update(rows, ["name", "merged_into"], batch_size=200)
    return len(rows)
