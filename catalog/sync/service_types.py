"""Service types the shop doesn't know: what staff said they mean, and which are still strange."""

from typing import NamedTuple

from django.db.models import Count, Min

from catalog.models import MappedType, OrderForm, Service
from catalog.models.service_types import compared_type
from catalog.models.services import order_form_of


class UnknownType(NamedTuple):
    """A type that nobody can order, with how many services on sale have it and the first of them."""

    type: str
    services: int
    example: int


def apply_mapped_types() -> int:
    """Bring the services to what staff said of their types; return how many changed."""
    mapped = dict(MappedType.objects.values_list("type", "order_form"))
    changed = 0
    for upstream_type, form in Service.objects.order_by().values_list("type", "mapped_form").distinct():
        known = order_form_of(upstream_type) != OrderForm.UNKNOWN
        meant = "" if known else mapped.get(compared_type(upstream_type), "")
        if meant != form:
            changed += Service.objects.filter(type=upstream_type, mapped_form=form).update(mapped_form=meant)
    return changed


def unknown_types() -> list[UnknownType]:
    """Return the types on sale that cannot be ordered, by name; one query."""
    counted = Service.objects.on_sale().order_by().filter(mapped_form="").values_list("type")
    rows = counted.annotate(services=Count("pk"), example=Min("upstream_id")).order_by("type")
    return [UnknownType(*row) for row in rows if order_form_of(row[0]) == OrderForm.UNKNOWN]
