"""Two complete shops: B buys from A, A buys from the sandbox. What a customer of B buys goes down both and comes back
up, under faults and a killed worker, and at the end the books of all three say the same.
"""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from storefront.demo.processes import Processes
from storefront.demo.valkey import start_valkey
from tests.chain.shop import Shop
from upstream.money import micros_from_decimal
from upstream.sandbox.process import Sandbox

# Once, on SQLite: the engine on PostgreSQL is stormed elsewhere, here it is about what two shops tell each other.
pytestmark = [pytest.mark.broker, pytest.mark.xdist_group("chain")]

RATE = Decimal("2.00")
MARKUP = Decimal("1.25")
OPENING = Decimal("100.00")
KEPT = "SELECT SUM(price_micros - refunded_micros) FROM orders_order"
CHARGED = "SELECT SUM(charge_upstream_micros) FROM orders_order"
BALANCE = "SELECT balance_micros FROM wallet_wallet"
OPEN_ORDERS = (
    "SELECT id, kind, status, upstream_id FROM orders_order"
    " WHERE status IN ('paid', 'sending', 'unknown', 'pending', 'in_progress')"
)


class Chain(NamedTuple):
    """The sandbox and both shops; B's customer is the test."""

    sandbox: Sandbox
    a: Shop
    b: Shop
    service: int  # as the sandbox and both shops call it
    at_a: int
    at_b: int


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Chain]:
    """Start everything, and end everything whatever happens."""
    processes = Processes()
    try:
        with Sandbox.start(services=3, seed=3, speed=0) as sandbox:
            service = sandbox.add_service(
                name="Chain followers", type="Default", category="Chain", rate=str(RATE), min=10, max=10_000
            )
            _valkey, redis_url = start_valkey(processes, tmp_path)
            server = redis_url.rpartition("/")[0]
            # A's time-out is short, so that a lost answer is looked into soon; B's covers all A may take for a number.
            short = {"UPSTREAM_TIMEOUT_SECONDS": "3", "ORDERS_CLAIM_SECONDS": "7", "SETTLE_SECONDS": "9"}
            patient = {"UPSTREAM_TIMEOUT_SECONDS": "25", "ORDERS_CLAIM_SECONDS": "55", "SETTLE_SECONDS": "60"}
            a = Shop(
                *("a", tmp_path, processes),
                redis_url=f"{server}/0",
                **{"UPSTREAM_URL": sandbox.url, "UPSTREAM_KEY": sandbox.key, **short},
            )
            b = Shop(
                *("b", tmp_path, processes),
                redis_url=f"{server}/1",
                **{"UPSTREAM_URL": a.url, **patient},
            )
            if migrated := os.environ.get("MIGRATED_SQLITE"):  # made once for all tests
                shutil.copy(migrated, a.database)
            else:
                a.manage("migrate", "--verbosity", "0")
            shutil.copy(a.database, b.database)  # the tables, which take the longest
            a.open()
            a.await_web()
            b.buys_with(a.key)
            b.open()
            b.await_web()
            at_a = a.number("SELECT id FROM catalog_service WHERE upstream_id = ?", service)
            at_b = b.number("SELECT id FROM catalog_service WHERE upstream_id = ?", at_a)
            yield Chain(sandbox, a, b, service, at_a, at_b)
            processes.kill()
    finally:
        processes.stop()


def wait_for(question: Callable[[], Any], what: str, chain: Chain, seconds: float = 40) -> Any:
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        if answer := question():
            return answer
        time.sleep(0.2)
    raise AssertionError(
        f"{what}\nopen at A: {chain.a.rows(OPEN_ORDERS)}\nopen at B: {chain.b.rows(OPEN_ORDERS)}\n"
        f"{chain.a.logs()}\n{chain.b.logs()}"
    )


def order(chain: Chain, quantity: int) -> int:
    answer = chain.b.call("add", service=chain.at_b, link=f"https://example.com/{quantity}", quantity=quantity)
    assert "order" in answer, answer
    return int(answer["order"])


def at_the_sandbox(chain: Chain, quantity: int) -> Any:
    """The sandbox's order of this quantity, once it has come all the way down."""
    found = [one for one in chain.sandbox.orders if one.get("quantity") == quantity and one.get("link")]
    return found[0] if found else None


def state(chain: Chain, order_id: int) -> tuple[str, str]:
    answer = chain.b.call("status", order=order_id)
    return answer["status"], answer["charge"]


def test_chain_when_two_shops_trade_under_faults_then_everything_arrives_and_all_books_agree(chain: Chain) -> None:
    the_catalog_has_come_down_with_both_markups(chain)

    # The first one is there so that A knows an id before the lost one's.
    bought = {1000: order(chain, 1000)}
    wait_for(lambda: at_the_sandbox(chain, 1000), "the first one has come down", chain)
    # Lost on the way: what carried it out did not say so. A has to find it, B has to wait, nobody may buy it twice.
    chain.sandbox.fail_next("lose_reply", action="add")
    bought[1100] = order(chain, 1100)
    wait_for(lambda: at_the_sandbox(chain, 1100), "the lost one is carried out", chain)
    for name, rate in (("500_before", 0.2), ("429", 0.1), ("garbage", 0.1)):
        for action in ("status", "sms_status", "sms_code"):
            chain.sandbox.fail_rate(name, rate, action=action)

    bought |= {quantity: order(chain, quantity) for quantity in (1200, 1300)}
    chain.a.kill_worker()
    bought |= {quantity: order(chain, quantity) for quantity in (1400, 1500)}
    with ThreadPoolExecutor(3) as pool:  # A's web sends numbers itself, a worker is not needed
        numbers = [one["orders"][0] for one in pool.map(lambda _each: buy_number(chain), range(2))]
    chain.a.start_worker()
    for quantity in bought:
        wait_for(lambda quantity=quantity: at_the_sandbox(chain, quantity), f"{quantity} has come down", chain)

    numbers_travel_both_ways(chain, numbers)
    end = dict.fromkeys((1000, 1100, 1200, 1500), "Completed") | {1300: "Partial", 1400: "Canceled"}
    for quantity, status in end.items():
        remains = {"Completed": 0, "Partial": 400, "Canceled": quantity}[status]
        chain.sandbox.set_order(at_the_sandbox(chain, quantity)["id"], status=status, remains=remains)
    # Orders sent a settling time later close the window in which A looks for the lost one.
    wait_for(lambda: settled_for(chain, 10), "the settling time", chain)
    bought[1600] = order(chain, 1600)
    wait_for(lambda: at_the_sandbox(chain, 1600), "the last one has come down", chain)
    chain.sandbox.set_order(at_the_sandbox(chain, 1600)["id"], status="Completed", remains=0)
    end[1600] = "Completed"

    price = RATE * MARKUP * MARKUP / 1000
    for quantity, status in end.items():
        kept = {"Completed": quantity, "Partial": quantity - 400, "Canceled": 0}[status]
        wait_for(lambda q=quantity, s=status: state(chain, bought[q])[0] == s, f"{quantity} is {status}", chain)
        wait_for(
            lambda q=quantity, k=kept: abs(Decimal(state(chain, bought[q])[1]) - price * k) <= Decimal("0.0003"),
            f"{quantity} costs {price * kept}",
            chain,
        )
    wait_for(lambda: not chain.a.rows(OPEN_ORDERS) and not chain.b.rows(OPEN_ORDERS), "nothing is open", chain)
    assert len([one for one in chain.sandbox.orders if one.get("link")]) == len(end)  # nothing was bought twice
    all_books_agree(chain)


def the_catalog_has_come_down_with_both_markups(chain: Chain) -> None:
    [at_a] = [row for row in chain.a.call("services")["services"] if row["service"] == chain.at_a]
    [at_b] = [row for row in chain.b.call("services")["services"] if row["service"] == chain.at_b]
    assert (Decimal(at_a["rate"]), Decimal(at_b["rate"])) == (RATE * MARKUP, RATE * MARKUP * MARKUP)
    assert (at_b["name"], at_b["min"], at_b["max"]) == ("Chain followers", 10, 10_000)
    prices = [Decimal(shop.call("sms_projects", country="us")[0]["price"]) for shop in (chain.a, chain.b)]
    assert prices[0] < prices[1]
    assert abs(prices[0] * MARKUP - prices[1]) <= Decimal("0.0001")


def buy_number(chain: Chain) -> Any:
    project = chain.b.call("sms_projects", country="us")[0]["project_id"]
    answer = chain.b.call("add_sms", project_id=project, country="us")
    assert "orders" in answer, answer
    return answer


def numbers_travel_both_ways(chain: Chain, numbers: list[dict[str, Any]]) -> None:
    """One gets its code, the other one ends without: its money comes back through both shops."""
    received, ended = numbers
    at_sandbox = {one["phone"]: one["id"] for one in chain.sandbox.orders if one.get("phone")}
    assert {number["phone"] for number in numbers} == set(at_sandbox)
    chain.sandbox.deliver_code(at_sandbox[received["phone"]], "493817", "Your code is 493817")
    chain.sandbox.set_number(at_sandbox[ended["phone"]], status="expired")

    def code() -> Any:
        return chain.b.call("sms_code", order=received["order"]).get("code")

    assert wait_for(code, "the code has come up", chain) == "493817"
    wait_for(
        lambda: chain.b.call("sms_status", order=ended["order"])["status"] in ("expired", "canceled"),
        "the other number has ended",
        chain,
    )
    assert Decimal(chain.b.call("sms_status", order=ended["order"])["charge"]) == 0


def settled_for(chain: Chain, seconds: int) -> bool:
    last = "SELECT (julianday('now') - julianday(MAX(sent_at))) * 86400 >= ? FROM orders_order"
    return bool(chain.a.number(last, seconds))


def all_books_agree(chain: Chain) -> None:
    a, b = chain.a, chain.b
    # What each shop was told it costs is what the other one kept, to the micro.
    wait_for(lambda: b.number(CHARGED) == a.number(KEPT), "B was charged what A earned", chain)
    sandbox = chain.sandbox.books()
    assert sandbox["adds_up"]
    opening = micros_from_decimal(OPENING)
    charged_by_sandbox = micros_from_decimal(Decimal(sandbox["charges"]) - Decimal(sandbox["returned"]))
    wait_for(lambda: a.number(CHARGED) == charged_by_sandbox, "A was charged what the sandbox took", chain)
    assert a.number(BALANCE) == opening - a.number(KEPT) == opening - b.number(CHARGED)
    assert b.number(BALANCE) == opening - b.number(KEPT)
    assert micros_from_decimal(Decimal(a.call("balance")["balance"])) == a.number(BALANCE)
    assert 0 < charged_by_sandbox < a.number(KEPT) < b.number(KEPT)
    for shop in (a, b):
        audit = shop.manage("audit", check=False)
        assert audit.returncode == 0, audit.stdout + audit.stderr + shop.logs()
