"""A purchase followed through the logs of real processes by one id, what they all count together, and how they rest."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from storefront.demo.processes import Processes
from storefront.demo.valkey import start_valkey
from tests.chain.shop import Shop
from upstream.sandbox.process import Sandbox

pytestmark = [pytest.mark.broker, pytest.mark.xdist_group("chain")]
IDLE_SECONDS = 20
MOST_IDLE_LINES = 5  # of all four processes; two lines a message of beat would be some sixty


@pytest.fixture(scope="module")
def sold(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, Sandbox, int]]:
    """A shop with web, two workers and beat, the sandbox, and what can be bought."""
    processes, folder = Processes(), tmp_path_factory.mktemp("shop")
    try:
        with Sandbox.start(services=3, seed=3, speed=0) as sandbox:
            service = sandbox.add_service(name="Followers", type="Default", category="C", rate="2.00", min=10, max=1000)
            _valkey, redis_url = start_valkey(processes, folder)
            supplier = {"UPSTREAM_URL": sandbox.url, "UPSTREAM_KEY": sandbox.key}
            shop = Shop("shop", folder, processes, redis_url=redis_url, **supplier)
            if migrated := os.environ.get("MIGRATED_SQLITE"):  # made once for all tests
                shutil.copy(migrated, shop.database)
            else:
                shop.manage("migrate", "--verbosity", "0")
            shop.open()
            shop.start_worker()
            shop.await_web()
            yield shop, sandbox, shop.number("SELECT id FROM catalog_service WHERE upstream_id = ?", service)
            processes.kill()
    finally:
        processes.stop()


def lines(shop: Shop) -> list[dict[str, Any]]:
    """Return what all processes have logged, with the program as `process`."""
    found = []
    for log in shop.folder.glob("*.log"):
        for line in log.read_text().splitlines():
            if line.startswith("{"):
                found.append({"process": log.name.partition(".")[0], **json.loads(line)})
    return sorted(found, key=lambda line: line["timestamp"])


def wait_for(question: Callable[[], Any], shop: Shop, seconds: float = 40) -> Any:
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        if answer := question():
            return answer
        time.sleep(0.2)
    raise AssertionError(shop.logs())


def metrics(shop: Shop) -> dict[str, float]:
    page = requests.get(shop.url.replace("/api/v2", "/metrics"), timeout=10).text
    pairs = [line.rpartition(" ") for line in page.splitlines() if line and not line.startswith("#")]
    return {name: float(value) for name, _space, value in pairs}


def test_purchase_when_followed_by_its_requests_id_is_found_from_the_button_to_the_end(sold):
    shop, sandbox, service = sold
    form = {"key": shop.key, "action": "add", "service": service, "link": "https://example.com/a", "quantity": 100}

    answer = requests.post(shop.url, form, timeout=60)
    order_id, request_id = int(answer.json()["order"]), answer.headers["X-Request-Id"]
    upstream_id = wait_for(lambda: next((one["id"] for one in sandbox.orders if one.get("link")), None), shop)
    sandbox.set_order(upstream_id, status="Completed", remains=0)
    wait_for(lambda: any(line["event"] == "order_ended" for line in lines(shop)), shop)

    ours = [line for line in lines(shop) if line.get("request_id") == request_id]
    assert [(line["process"], line["event"]) for line in ours] == [
        ("web", "order_taken"),
        ("worker", "upstream call"),
        ("worker", "order_placed"),
        ("worker", "order_ended"),
    ]
    assert {line["order_id"] for line in ours} == {order_id}
    assert [line.get("upstream_id") for line in ours[2:]] == [str(upstream_id)] * 2
    assert (ours[1]["action"], ours[1]["outcome"], ours[1]["status"]) == ("add", "answered", 200)
    assert ours[1]["milliseconds"] >= 0
    assert sandbox.key not in json.dumps(lines(shop))

    # What the workers counted, web tells; and that they are there.
    call = 'shop_supplier_call_duration_seconds_count{action="add",outcome="answered"}'
    heartbeat = "shop_heartbeat_age_seconds"
    told = wait_for(lambda: (page := metrics(shop)).get(call) == 1 and heartbeat in page and page, shop)
    assert {role: told[f'shop_processes{{role="{role}"}}'] for role in ("web", "worker", "beat")} == {
        "web": 1,
        "worker": 2,
        "beat": 1,
    }
    assert told['shop_task_duration_seconds_count{outcome="success",task="orders.tasks.poll_orders"}'] > 0
    assert told[heartbeat] < 30


def test_workers_when_idle_write_next_to_nothing(sold):
    shop, _sandbox, _service = sold
    wait_for(lambda: metrics(shop).get('shop_processes{role="beat"}'), shop)
    time.sleep(5)  # what is said once at the start
    before = sum(len(log.read_text().splitlines()) for log in shop.folder.glob("*.log"))

    time.sleep(IDLE_SECONDS)

    written = [line for log in shop.folder.glob("*.log") for line in log.read_text().splitlines()]
    assert len(written) - before <= MOST_IDLE_LINES, written
