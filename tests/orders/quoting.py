"""Sealed prices for tests: Ann's thousand followers for 1.875, unless told otherwise."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from catalog.models import Service
from orders.placing.quotes import PriceQuote, sign_quote


def quote_of(user: User, service: Service, **fields: Any) -> PriceQuote:
    """The quote that the page of the service gives this customer now, with these fields changed."""
    values = {
        "user_id": user.pk,
        "service_id": service.pk,
        "quantity": 1000,
        "price_micros": 1_875_000,
        "rate_micros": 1_875_000,
        "rate_per": 1000,
        "expires_at": timezone.now() + timedelta(seconds=settings.PRICE_LOCK_SECONDS),
    }
    return PriceQuote(**{**values, **fields})


def signed(user: User, service: Service, **fields: Any) -> str:
    """The same, as its text stands in the form."""
    return sign_quote(quote_of(user, service, **fields))
