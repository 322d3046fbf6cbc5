"""Services that customers want to find again."""

from collections.abc import Iterable

from accounts.models import User
from catalog.models import Favourite, Service, ServiceQuerySet


def keep_favourite(user: User, service: Service) -> None:
    """Put the service among the customer's favourites; it may be there already."""
    Favourite.objects.bulk_create([Favourite(user=user, service=service)], ignore_conflicts=True)


def drop_favourite(user: User, service: Service) -> None:
    """Take the service out of the customer's favourites, if it is there."""
    Favourite.objects.filter(user=user, service=service).delete()


def favourites_of(user: User) -> ServiceQuerySet:
    """Return the services this customer has kept, on sale or not."""
    return Service.objects.filter(pk__in=Favourite.objects.filter(user=user).values("service"))


def favourites_among(user: User, service_ids: Iterable[int]) -> set[int]:
    """Return which of these services the customer has kept; one query."""
    kept = Favourite.objects.filter(user=user, service__in=list(service_ids))
    return set(kept.order_by().values_list("service_id", flat=True))
