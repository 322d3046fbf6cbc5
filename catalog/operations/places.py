"""Putting a service into another category than upstream's, and back.

Customers find it there and that category's markup rules are for it. What its rate is for, and how it is delivered, is
upstream's business and stays what it was: where the other category has it differently, the service keeps its own.
"""

from collections.abc import Mapping
from typing import NamedTuple

from django.conf import settings

from catalog.models import Category


class Place(NamedTuple):
    """Where a service stands, and what it has of its own because of that.

    `upstream_category_id` and `upstream_subcategory_id` are where upstream has it, if staff has put it elsewhere.
    """

    category_id: int
    subcategory_id: int | None
    upstream_category_id: int | None
    upstream_subcategory_id: int | None
    rate_per_override: int | None
    delivery_override: str

    @property
    def upstream(self) -> tuple[int, int | None]:
        """The category and subcategory where upstream has it."""
        if self.upstream_category_id is None:
            return self.category_id, self.subcategory_id
        return self.upstream_category_id, self.upstream_subcategory_id


class UncertainUnit(Exception):
    """It is not certain how many pieces a service's rate buys, which its category shall show first."""


def all_categories() -> dict[int, Category]:
    """Return every category by its id; one query."""
    return Category.objects.in_bulk()


def put_into(place: Place, category_id: int | None, categories: Mapping[int, Category]) -> Place:
    """Return the place of a service that is put into a category, or with None back to where upstream has it.

    Raises UncertainUnit.
    """
    home, subcategory_id = place.upstream
    target = home if category_id is None else category_id
    if target == place.category_id:
        return place
    here, there = categories[place.category_id], categories[target]
    unit, is_certain = place.rate_per_override or _unit(here), here.rate_confirmed_at is not None
    if place.rate_per_override is None and not is_certain:
        raise UncertainUnit
    same_unit = there.rate_confirmed_at is not None and _unit(there) == unit
    delivery = place.delivery_override or here.delivery
    is_home = target == home
    return Place(
        category_id=target,
        subcategory_id=subcategory_id if is_home else None,
        upstream_category_id=None if is_home else home,
        upstream_subcategory_id=None if is_home else subcategory_id,
        rate_per_override=None if same_unit else unit,
        delivery_override="" if there.delivery == delivery else delivery,
    )


def _unit(category: Category) -> int:
    default: int = settings.DEFAULT_RATE_PER
    return category.rate_per or default
