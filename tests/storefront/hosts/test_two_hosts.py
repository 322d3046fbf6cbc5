"""Two hosts, one of them cut off in the middle of forwarding: nothing is lost, nothing is sent twice."""

import itertools
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
from django.conf import settings
from django.db import connection
from django.utils import timezone

from accounts.keys.api_keys import create_api_key
from catalog.sync.sync_catalog import sync_catalog
from orders.accounting.audit import audit
from orders.models import Order, Status
from storefront.configuration.database import databases
from storefront.configuration.environment import Environment
from tests.storefront.hosts.hosts import Host, Namespaces, Silenced
from tests.storefront.stops.servers import asked
from tests.workers import database_url, wait_for

pytestmark = [
    pytest.mark.broker,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="hosts share a server"),
    pytest.mark.django_db(transaction=True),
]
# A short time-out makes short claims, and a lost answer is looked for soon.
SOON = {
    "UPSTREAM_TIMEOUT_SECONDS": "3",
    "ORDERS_CLAIM_SECONDS": "7",
    "SETTLE_SECONDS": "9",
    "MAX_CLOCK_SKEW_SECONDS": "1",
    "RECONCILE_EVERY_SECONDS": "1",
}
EACH, MEANWHILE, LATER = 8, 4, 5  # orders
CUT_SECONDS = 9.0  # longer than a claim: what the lost host has claimed is taken from it


@pytest.fixture(params=["silenced", pytest.param("namespaces", marks=pytest.mark.long)])
def hosts(request: pytest.FixtureRequest, tmp_path: Path, sandbox: Any, transactional_db: None) -> Iterator[list[Host]]:
    """Two hosts that are up, before the test's database, its Valkey and its sandbox."""
    network = Silenced() if request.param == "silenced" else Namespaces()
    if isinstance(network, Namespaces) and (why := network.why_not()):
        pytest.skip(why)
    neighbours = {"DATABASE_URL": database_url(), "REDIS_URL": settings.REDIS_URL, "UPSTREAM_URL": sandbox.url}
    with ExitStack() as stack:
        stack.enter_context(network)
        both = []
        for number in (1, 2):
            both.append(Host(network, number, tmp_path / f"host{number}", neighbours))
            stack.callback(both[-1].stop)
        for host in both:
            host.start(**SOON)
        yield both


def test_hosts_when_one_is_cut_off_while_it_forwards_then_the_other_goes_on_and_every_order_is_sent_once(
    hosts: list[Host], sandbox: Any, service: Any, key: str, ben: Any, client_upstream: Any
) -> None:
    lost, other = hosts

    quantities = itertools.count(100)  # each costs another amount: alike ones would be for staff to tell apart

    def buy(host: Host, name: str, count: int, *, key: str = key) -> "dict[str, Future[Any]]":
        call = {"key": key, "action": "add", "service": service.pk}
        links = [f"https://x.com/{name}{number}" for number in range(count)]
        return {link: host.web.call(**call, link=link, quantity=next(quantities)) for link in links}

    sync_catalog(client=client_upstream, now=timezone.now())
    first = buy(lost, "first", 1)  # the lost ones' numbers upstream come after its
    wait_for(lambda: statuses() == [Status.PENDING], "the first is forwarded")
    sandbox.set(latency_seconds=1.0)  # so that purchases of both hosts are under way when it happens
    calls = {**buy(lost, "lost", EACH), **buy(other, "other", EACH)}
    wait_for(lambda: asked(sandbox, "add")() >= 5, "the supplier has the first purchases of both")

    lost.cut_off()

    began = time.monotonic()
    sandbox.set(latency_seconds=0.0)
    bens = create_api_key(user=ben, name="robot")[1]
    # Of another customer: Ann's wallet may be locked by sales that the lost host had begun, until the server ends them.
    meanwhile = buy(other, "meanwhile", MEANWHILE, key=bens)
    said = [call.result(30) for call in meanwhile.values()]
    assert [answer.text for answer in said if "order" not in answer.json()] == []
    sent = Order.objects.filter(link__in=meanwhile, status=Status.PENDING)
    wait_for(lambda: sent.count() == MEANWHILE, "the other host goes on")
    time.sleep(max(began + CUT_SECONDS - time.monotonic(), 0))
    under_way = Order.objects.filter(status__in=[Status.SENDING, Status.UNKNOWN]).count()

    lost.heal()

    told = {link: answer_of(call) for link, call in (first | calls | meanwhile).items()}
    sync_catalog(client=client_upstream, now=timezone.now())  # now it is known what the lost ones cost
    # The lost one sells again. Each later order ends the windows of those that were lost a settling time before it.
    for number in range(LATER):
        later = buy(lost, f"later{number}", 1, key=bens)
        assert all("order" in call.result(30).json() for call in later.values())
        if settled_within(float(SOON["SETTLE_SECONDS"]) + 3):
            break
    assert set(statuses()) == {Status.PENDING}, f"not all are decided, of {under_way} that were not"
    links = [order["link"] for order in sandbox.orders]
    assert len(links) == len(set(links))  # nothing twice
    assert set(links) == set(Order.objects.values_list("link", flat=True))  # nothing lost, nothing that nobody ordered
    promised = {link for link, answer in told.items() if "order" in answer}
    assert promised <= set(links)
    sold = {str(pk): upstream for pk, upstream in Order.objects.values_list("pk", "upstream_id")}
    assert len(set(sold.values())) == len(sold)
    assert audit(client=client_upstream, now=timezone.now()).problems == []
    assert sandbox.books()["adds_up"]


def test_databases_when_a_sale_s_host_vanishes_then_the_server_ends_it_before_others_give_up_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://shop@server/shop")

    limits = databases(Environment(tmp_path / "none"), tmp_path)["default"]["LIMITS"]["web"]

    assert limits["idle_in_transaction_session_timeout"] < limits["lock_timeout"]


def answer_of(call: "Future[Any]") -> dict[str, Any]:
    """Return what the lost host said, {} where nothing came of it."""
    try:
        return call.result(90).json()
    except requests.RequestException:
        return {}


def settled_within(seconds: float) -> bool:
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        if set(statuses()) == {Status.PENDING}:
            return True
        time.sleep(0.2)
    return False


def statuses() -> list[str]:
    return list(Order.objects.values_list("status", flat=True))
