"""A customer who presses "pay and order" with too little in the wallet, and what comes of it."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from orders.models import PendingCheckout
from orders.placing.pay_first import close_pending, pay_and_order
from tests.orders.quoting import signed

LINK = "https://instagram.com/kim"


@pytest.fixture
def pay(kim: User, service: Service, settings: Any) -> Callable[..., PendingCheckout]:
    """Press "pay and order": 2,000 followers for 3.75, of which 3.25 are missing."""
    settings.DEBUG = True  # the demo's own way to pay
    settings.MANUAL_TRANSFER_DETAILS = "IBAN XX00 1234"

    def press(**asked: Any) -> PendingCheckout:
        return pay_and_order(**{**form_of(kim, service), **asked})

    return press


def form_of(user: User, service: Service) -> dict[str, Any]:
    """Return what the form of 2,000 followers for 3.75 says, to be paid by the demo's own way."""
    return {
        "user": user,
        "service": fresh(service),
        "quantity": 2000,
        "link": LINK,
        "comments": "",
        "quote": signed(user, service, quantity=2000, price_micros=3_750_000),
        "request_id": str(uuid.uuid4()),
        "gateway": "demo",
        "now": timezone.now(),
    }


def fresh(service: Service) -> Service:
    """Return the service as the database has it."""
    return Service.objects.select_related("category").get(pk=service.pk)


def closed(pending: PendingCheckout) -> PendingCheckout:
    """Sweep once, and return what came of it."""
    close_pending(now=timezone.now())
    pending.refresh_from_db()
    return pending


def in_thread(act: Callable[[], Any]) -> Any:
    """Act, then close the thread's connection; return what came of it."""
    try:
        return act()
    finally:
        connection.close()
