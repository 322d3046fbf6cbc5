"""Stock alerts: a customer wants one message when a sold-out service can be ordered again.

`may_be_back` is called where stock comes back. Beat looks from time to time as well, because a sync and the admin
bring services back, too.
"""

from collections.abc import Iterator
from datetime import datetime

from django.db.models import F
from django.utils import timezone

from accounts.models import User
from catalog.models import OrderForm, Service, StockAlert
from notifications.wake_worker import wake_worker

READ_AT_ONCE = 200
GATHER_SECONDS = 3


class NotSoldOut(Exception):
    """There is nothing to wait for: the service can be ordered, or will not come back for another reason."""


def out_of_stock(service: Service) -> bool:
    """Whether stock is what this service lacks to be ordered; it comes with its category."""
    on_sale = service.withdrawn_at is None and service.visible and service.category.visible
    too_few = service.stock is not None and service.stock < max(service.min_quantity, 1)
    return on_sale and too_few and service.order_form != OrderForm.UNKNOWN


def open_stock_alert(user: User, service: Service, *, now: datetime | None = None) -> StockAlert:
    """Remember that this customer waits for the service; return the open alert, an older one if there is one.

    Raises NotSoldOut.
    """
    if not out_of_stock(service):
        raise NotSoldOut(f"service {service.pk}")
    opened = {"created_at": now or timezone.now()}
    alert, _created = StockAlert.objects.get_or_create(user=user, service=service, notified_at=None, defaults=opened)
    return alert


def cancel_stock_alert(user: User, service: Service) -> bool:
    """Forget that this customer waits for the service; return whether they did."""
    deleted, _by_model = StockAlert.objects.filter(user=user, service=service, notified_at=None).delete()
    return bool(deleted)


def has_stock_alert(user: User, service: Service) -> bool:
    """Whether this customer waits for the service."""
    return StockAlert.objects.filter(user=user, service=service, notified_at=None).exists()


def open_stock_alerts(user: User) -> list[StockAlert]:
    """Return what this customer waits for, the newest first, with services and categories: one query."""
    alerts = StockAlert.objects.filter(user=user, notified_at=None)
    return list(alerts.select_related("service__category", "service__subcategory"))


def due_stock_alerts() -> Iterator[StockAlert]:
    """Yield the open alerts of services that can be ordered now, the oldest first, with customer and service."""
    back = Service.objects.on_sale().filter(paused_because="").exclude(stock__lt=F("min_quantity"))
    waiting = StockAlert.objects.filter(notified_at=None, user__is_active=True, service__in=back)
    waiting = waiting.select_related("user", "service__category").order_by("pk")
    last = 0
    while page := list(waiting.filter(pk__gt=last)[:READ_AT_ONCE]):
        last = page[-1].pk
        yield from (alert for alert in page if alert.service.orderable)


def mark_notified(alert: StockAlert, *, now: datetime) -> bool:
    """Close the alert, in the transaction that writes its mail; return False when it was closed or canceled before."""
    return bool(StockAlert.objects.filter(pk=alert.pk, notified_at=None).update(notified_at=now))


def may_be_back() -> None:
    """A service may be in stock again: have a worker look once the transaction has committed; beat does it as well."""
    wake_worker("catalog.tasks.send_stock_alerts", gather_seconds=GATHER_SECONDS)
