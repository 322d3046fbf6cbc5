"""`runs` and `interval` mean in this trade that the quantity is delivered several times: refused, never guessed at."""

import pytest

from api.docs.schemas import PARAMETERS
from api.registry import ACTIONS
from catalog.models import Service
from orders.models import Order
from tests.api.conftest import Call

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
LINK = "https://instagram.com/ann"
REFUSED = {"error": "Drip-feed is not available, runs must be 1"}


@pytest.mark.parametrize("runs", ["2", "10", " 3 ", "-1", "1.5", "many"])
def test_add_with_several_runs_is_refused_in_words_and_takes_nothing(call: Call, service: Service, runs: str) -> None:
    answer = call("add", service=service.pk, link=LINK, quantity=100, runs=runs, interval=30)

    assert (answer, Order.objects.count(), call("balance")["balance"]) == (REFUSED, 0, "100.00")


@pytest.mark.parametrize("runs", ["", "0", "1", " 1 ", "undefined", "null"])
@pytest.mark.parametrize("interval", ["", "undefined", "30"])
def test_add_with_one_run_is_an_order_like_any_other(call: Call, service: Service, runs: str, interval: str) -> None:
    answer = call("add", service=service.pk, link=LINK, quantity=100, runs=runs, interval=interval)

    assert answer == {"order": Order.objects.get(quantity=100).pk}


def test_runs_and_interval_are_documented_where_orders_are_added() -> None:
    assert {"runs", "interval"} <= {parameter.name for parameter in ACTIONS["add"].parameters}
    assert PARAMETERS["runs"]["maximum"] == 1
