"""What staff says a service type of upstream means."""

from django.db import transaction

from catalog.models import MappedType
from catalog.models.service_types import compared_type
from catalog.sync.service_types import apply_mapped_types


@transaction.atomic
def map_service_type(upstream_type: str, *, order_form: str) -> int:
    """Say how services of this type are ordered, in all its spellings; return how many services that changed."""
    MappedType.objects.update_or_create(type=compared_type(upstream_type), defaults={"order_form": order_form})
    return apply_mapped_types()
