"""What an order was for, as its customer reads it; the order itself keeps the English title it was sold under."""

from collections.abc import Iterable

from django.conf import settings
from django.db.models import Prefetch, prefetch_related_objects

from catalog.models import Service, name_language
from orders.models.order import Order

SERVICE = Prefetch("service", queryset=Service.objects.only("name", "display_name", "translated_names"))
SOLD = (SERVICE, "number__project__site", "number__project__country")


def load_sold(orders: Iterable[Order]) -> None:
    """Read what `Order.shown_title` wants for all of these at once; nothing where no title can have another name.

    For what is shown in the reader's language. One query for services and four for numbers.
    """
    if name_language():
        prefetch_related_objects(list(orders), *SOLD)


def load_services_sold(orders: Iterable[Order]) -> None:
    """Read what `Order.shown_title` wants for orders of services, to be written in whatever language; one query."""
    if settings.CATALOG_LANGUAGES:
        prefetch_related_objects(list(orders), SERVICE)
