"""Reading a number that waits to be bought: one statement has all that is needed."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.fulfilment.waiting import kinds_waiting, waiting_order
from orders.models import Kind

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]


def test_waiting_order_of_a_number_comes_with_its_project_and_country(buy: Any, project: Any, ann: Any) -> None:
    [order] = buy()

    assert kinds_waiting([order.pk]) == [Kind.NUMBER]
    assert waiting_order(order.pk, Kind.SERVICE) is None
    with CaptureQueriesContext(connection) as asked:
        found = waiting_order(order.pk, Kind.NUMBER)
        assert found is not None
        read = (found.user, found.number.order, found.number.project, found.number.project.country)

    assert len(asked) == 1
    assert read == (ann, order, project, project.country)
    assert read[2].price_upstream_micros == project.price_upstream_micros
