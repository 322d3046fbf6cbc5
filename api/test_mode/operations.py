"""The test money: taken, given back, and topped up at the press of a button."""

import hashlib
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from accounts.batches import delete_in_batches
from accounts.keys.spending import spend_with_key
from accounts.models import ApiKey, User
from api.models import SimulatedOrder, SimulatedWallet
from api.test_mode.scenarios import back_micros_of
from orders.placing.refusals import RequestIdReused
from preferences.keeping import REQUEST_IDS_KEPT
from upstream.money import micros_from_decimal
from wallet.operations import InsufficientFunds

# Every look at the test money goes through the orders under way; nobody tries out more at once.
MAX_UNDER_WAY = 1000


class TooManyUnderWay(Exception):
    """The customer's test keys have MAX_UNDER_WAY orders that are not over. Nothing has changed."""


def simulated_balance_micros(user: User, *, now: datetime | None = None) -> int:
    """Return what the customer's test keys have, with everything given back that is due."""
    now = now or timezone.now()
    wallet = _wallet(user)
    if not _unsettled(user).exists():
        return wallet.balance_micros
    with transaction.atomic():
        locked = _lock(wallet)
        _settle(user, now)
        locked.refresh_from_db()
    return locked.balance_micros


def fill_test_wallet(user: User, *, now: datetime | None = None) -> int:
    """Bring the test money back to what test keys begin with, and return it; more than that stays."""
    simulated_balance_micros(user, now=now)
    begins_with = _begins_with()
    SimulatedWallet.objects.filter(user=user, balance_micros__lt=begins_with).update(balance_micros=begins_with)
    return SimulatedWallet.objects.get(user=user).balance_micros


def take_simulated_orders(
    user: User,
    *,
    key: ApiKey | None,
    request_id: str,
    asked: dict[str, Any],
    make: Callable[[], list[SimulatedOrder]],
    now: datetime,
) -> list[SimulatedOrder]:
    """Store what `make` prices and take the test money; a repeat with its request id returns the first orders.

    Raises RequestIdReused, InsufficientFunds, DailyLimitReached, TooManyUnderWay and what `make` raises; nothing has
    changed then.
    """
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
    wallet = _wallet(user)
    with transaction.atomic():
        # Everything of one customer's test mode queues here, so that a request id needs no constraint of its own.
        _lock(wallet)
        if bought := _bought_before(user, request_id, digest, now):
            return bought
        _settle(user, now)
        orders = make()
        if _unsettled(user).count() + len(orders) > MAX_UNDER_WAY:
            raise TooManyUnderWay
        total_micros = sum(order.price_micros for order in orders)
        left_micros = SimulatedWallet.objects.values_list("balance_micros", flat=True).get(pk=wallet.pk) - total_micros
        if left_micros < 0:
            raise InsufficientFunds(-left_micros)
        SimulatedWallet.objects.filter(pk=wallet.pk).update(balance_micros=left_micros)
        for order in orders:
            order.user, order.created_at = user, now
            order.request_id, order.request_digest = request_id, digest
            order.save(force_insert=True)
            if order.kind == SimulatedOrder.Kind.NUMBER and not order.phone:
                order.phone = f"+1999{order.pk:07}"
                order.save(update_fields=["phone"])
        if key is not None:
            spend_with_key(key, total_micros, now=now)
        return orders


def cancel_simulated_order(order: SimulatedOrder, *, now: datetime) -> bool:
    """Cancel an order that is not over and give its money back; return whether it was so."""
    wallet = _wallet(order.user)
    with transaction.atomic():
        _lock(wallet)
        _settle(order.user, now)
        if not SimulatedOrder.objects.filter(pk=order.pk, settled_at=None, canceled_at=None).update(canceled_at=now):
            return False
        _settle(order.user, now)
        return True


def clean_simulated_orders(*, now: datetime | None = None) -> int:
    """Delete what is older than any request id is remembered; return how many orders that were."""
    now = now or timezone.now()
    before = now - REQUEST_IDS_KEPT.value - timedelta(days=1)
    return delete_in_batches(SimulatedOrder.objects.filter(created_at__lt=before).order_by("pk"))


def _begins_with() -> int:
    return micros_from_decimal(settings.API_TEST_BALANCE)


def _wallet(user: User) -> SimulatedWallet:
    return SimulatedWallet.objects.get_or_create(user=user, defaults={"balance_micros": _begins_with()})[0]


def _lock(wallet: SimulatedWallet) -> SimulatedWallet:
    return SimulatedWallet.objects.select_for_update().get(pk=wallet.pk)


def _unsettled(user: User) -> QuerySet[SimulatedOrder]:
    return SimulatedOrder.objects.filter(user=user, settled_at=None)


def _settle(user: User, now: datetime) -> None:
    """Give back what is due; the wallet is locked."""
    for order in _unsettled(user):
        back_micros = back_micros_of(order, now)
        if back_micros is None:
            continue
        SimulatedOrder.objects.filter(pk=order.pk).update(settled_at=now, refunded_micros=back_micros)
        if back_micros:
            SimulatedWallet.objects.filter(user=user).update(balance_micros=F("balance_micros") + back_micros)


def _bought_before(user: User, request_id: str, digest: str, now: datetime) -> list[SimulatedOrder]:
    if not request_id:
        return []
    remembered = now - REQUEST_IDS_KEPT.value
    bought = SimulatedOrder.objects.filter(user=user, request_id=request_id, created_at__gte=remembered)
    orders = list(bought.select_related("project__country").order_by("pk"))
    if any(order.request_digest != digest for order in orders):
        raise RequestIdReused
    return orders
