"""Services that customers want to find again."""

from collections.abc import Sequence

from django.db import connection

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


def favorites_among(user: User, service_ids: Sequence[int]) -> set[int]:
    """Return which of these services the customer has among the favorites; one query.

    In SQL, because every page of a list asks, and composing it would take several times as long as answering.
    """
    if not service_ids:
        return set()
    marks = ", ".join(["%s"] * len(service_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT service_id FROM catalog_favorite WHERE user_id = %s AND service_id IN ({marks})",  # noqa: S608
            [user.pk, *service_ids],
        )
        return {row[0] for row in cursor.fetchall()}
