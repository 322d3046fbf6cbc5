"""Putting a service into another category than upstream's, and back.

Customers find it there and that category's markup rules are for it. What its rate buys and how it is delivered stays
upstream's business: that is read of the category where upstream has it (`Service.home_category`).
"""

from typing import NamedTuple

from catalog.models import Category


class Place(NamedTuple):
    """Where a service stands; and where upstream has it, if staff has put it elsewhere."""

    category_id: int
    subcategory_id: int | None
    upstream_category_id: int | None
    upstream_subcategory_id: int | None

    @property
    def home(self) -> tuple[int, int | None]:
        """The category and subcategory where upstream has it."""
        if self.upstream_category_id is None:
            return self.category_id, self.subcategory_id
        return self.upstream_category_id, self.upstream_subcategory_id


def put_into(place: Place, category_id: int | None) -> Place:
    """Return the place of a service that is put into a category, or with None back to where upstream has it."""
    home, subcategory_id = place.home
    if category_id is None or category_id == home:
        return Place(home, subcategory_id, None, None)
    return Place(category_id, None, home, subcategory_id)


def all_categories() -> dict[int, Category]:
    """Return every category by its id, those of others that are merged into them included; one query."""
    return Category.objects.in_bulk()


def is_shown_in(category: Category, categories: dict[int, Category]) -> bool:
    """Whether customers see what stands in a category, on its page or on that of the one it is merged into."""
    merged_into = category.merged_into_id
    return category.visible and (merged_into is None or categories[merged_into].visible)
