"""How often services were bought lately: what lists that begin with the most bought are sorted by."""

from datetime import datetime, timedelta

from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from catalog.models import Service
from orders.models import Order, Status

LATELY = timedelta(days=30)


def count_purchases(*, now: datetime) -> int:
    """Write down how many orders each service had lately, those that came to nothing left out; return how many differ.

    One statement; only what differs is written, because every change of a service makes what is kept of pages old.
    """
    orders = Order.objects.filter(created_at__gt=now - LATELY, service__isnull=False).order_by()
    orders = orders.exclude(status__in=[Status.FAILED, Status.CANCELED])
    of_service = orders.filter(service=OuterRef("pk")).values("service").annotate(bought=Count("pk")).values("bought")
    number = Coalesce(Subquery(of_service), 0)
    services = Service.objects.filter(Q(bought_lately__gt=0) | Q(pk__in=orders.values("service"))).order_by()
    return services.annotate(bought=number).exclude(bought_lately=F("bought")).update(bought_lately=number)
