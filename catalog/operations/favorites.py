"""Services that customers want to find again."""

from collections.abc import Sequence

from accounts.fast_queries.reads import Prepared
from accounts.models import User
from catalog.models import Favorite, Service, ServiceQuerySet


def add_favorite(user: User, service: Service) -> None:
    """Put the service among the customer's favorites; it may be there already."""
    Favorite.objects.bulk_create([Favorite(user=user, service=service)], ignore_conflicts=True)


def remove_favorite(user: User, service: Service) -> None:
    """Take the service out of the customer's favorites, if it is there."""
    Favorite.objects.filter(user=user, service=service).delete()


def favorites_of(user: User) -> ServiceQuerySet:
    """Return the services this customer has among the favorites, on sale or not."""
    return Service.objects.filter(pk__in=Favorite.objects.filter(user=user).values("service"))


_of_user = Prepared(
    lambda: Favorite.objects.filter(user_id=0).order_by().values_list("service_id"),
    example=(0,),
    among='"catalog_favorite"."service_id"',
)


def favorites_among(user: User, service_ids: Sequence[int]) -> set[int]:
    """Return which of these services the customer has among the favorites; one query at most."""
    if not service_ids:
        return set()
    return {service_id for (service_id,) in _of_user.rows(user.pk, ids=service_ids)}
