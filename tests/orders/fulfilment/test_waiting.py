"""Reading what waits to be sent: as a queryset reads it, with a statement that is put together once."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from orders.fulfilment.waiting import kinds_waiting, waiting_order, waiting_orders
from orders.lifecycle.supply import related_rows
from orders.models import HoldReason, Kind, Order, ServicePace, Status

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]


def values(row: Any) -> dict[str, Any] | None:
    """All that was read of a row."""
    return None if row is None else {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def beside(order: Order, path: str) -> Any:
    row: Any = order
    for name in path.split("__"):
        row = getattr(row, name, None) if row is not None else None
    return row


@pytest.mark.parametrize("with_pace", [True, False])
def test_waiting_order_of_a_service_has_all_that_a_queryset_reads_and_asks_nothing_more(
    place: Callable[..., Order], with_pace: bool
) -> None:
    order = place()
    if with_pace:
        ServicePace.objects.create(service=order.service, finished=3, usual_seconds=60)
    paths = related_rows(Kind.SERVICE)
    expected = Order.objects.select_related(*paths).get(pk=order.pk)

    with CaptureQueriesContext(connection) as asked:
        found = waiting_order(order.pk, Kind.SERVICE)
        assert found is not None
        read = {path: values(beside(found, path)) for path in paths}

    assert len(asked) == 1
    assert values(found) == values(expected)
    assert read == {path: values(beside(expected, path)) for path in paths}
    assert found._state.db == expected._state.db
    assert not found._state.adding


def test_waiting_orders_leave_out_what_does_not_wait_and_what_is_held(place: Callable[..., Order]) -> None:
    waits, sent, held = place(), place(), place()
    Order.objects.filter(pk=sent.pk).update(status=Status.UNKNOWN)
    Order.objects.filter(pk=held.pk).update(held_because=HoldReason.SERVICE_PAUSED)
    ids = [waits.pk, sent.pk, held.pk, 10**9]

    assert kinds_waiting(ids) == [Kind.SERVICE]
    assert waiting_orders(ids, Kind.SERVICE) == [waits]
    assert waiting_orders(ids, Kind.NUMBER) == []
    assert (kinds_waiting([]), waiting_orders([], Kind.SERVICE)) == ([], [])
