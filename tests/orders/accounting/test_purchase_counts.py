"""What was bought lately, counted some services at a time."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import batches
from accounts.models import User
from catalog.models import Service
from orders.accounting.purchase_counts import count_purchases
from orders.models import Status
from tests.storefront.admin_rows import make_order, make_service

pytestmark = pytest.mark.django_db


def test_count_purchases_counts_the_orders_of_thirty_days_that_came_to_something(
    ann: User, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    often, once, never, formerly = (make_service(number) for number in range(1, 5))
    now = timezone.now()
    for _each in range(3):
        make_order(ann, service=often)
    make_order(ann, service=once, status=Status.COMPLETED, created_at=now - timedelta(days=29))
    make_order(ann, service=once, status=Status.CANCELED)
    make_order(ann, service=once, status=Status.FAILED)
    make_order(ann, service=formerly, created_at=now - timedelta(days=31))
    make_order(ann)  # a number
    replaced = make_order(ann, service=once, status=Status.COMPLETED, created_at=now - timedelta(days=40))
    make_order(ann, service=once, status=Status.COMPLETED, price_micros=0, original=replaced)
    Service.objects.filter(pk__in=[formerly.pk, often.pk]).update(bought_lately=7)

    monkeypatch.setattr(batches.spans, "__defaults__", (2,))
    with django_assert_num_queries(5):  # two spans, three looks for the next one
        changed = count_purchases(now=now)

    assert changed == 3
    counted = dict(Service.objects.values_list("pk", "bought_lately"))
    assert counted == {often.pk: 3, once.pk: 1, never.pk: 0, formerly.pk: 0}
    assert count_purchases(now=now) == 0
