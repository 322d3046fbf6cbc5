"""What a key may do, how often, from where and how much: scopes, limits and the daily limit at the door."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest
import redis
import requests
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from accounts.keys.api_keys import change_api_key, create_api_key
from accounts.models import ApiKey, ApiKeySpending, User
from api import limits
from api.actions.params import ApiError
from api.registry import ACTIONS
from catalog.models import Service
from orders.fulfilment.refusals import meaning_of
from orders.models import KnownRefusal, Order
from sms.models import Country, Project
from tests.api.conftest import Call
from upstream.sandbox.process import Sandbox
from wallet.models import Wallet

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
LINK = "https://instagram.com/ann"
TOO_OFTEN = {"error": "Too many requests, rate limit exceeded"}
READS = {"categories", "services", "inventory", "status", "refill_status", "sms_projects", "sms_countries"}
CODES = {"sms_code", "sms_status"}


@pytest.fixture
def powers(key: str) -> Any:
    """Change what Ann's key may do."""
    return lambda **fields: change_api_key(ApiKey.objects.get(name="robot").pk, **fields)


@pytest.mark.parametrize(
    ("scope", "opened"),
    [
        ("may_read", READS | CODES),
        ("may_order", {"add", "refill", "cancel"}),
        ("may_sms", {"sms_projects", "sms_countries", "add_sms", "cancel"} | CODES),
    ],
)
def test_scope_when_a_key_has_one_then_it_opens_these_actions_and_no_others(
    call: Call, powers: Any, scope: str, opened: set[str]
) -> None:
    powers(**{"may_read": False, "may_order": False, "may_sms": False, scope: True})

    allowed = {name for name in ACTIONS if "may not" not in str(call(name))}

    assert allowed == opened | {"balance"}


def test_scope_when_a_key_may_not_order_then_the_text_says_so_and_nothing_is_taken(
    call: Call, powers: Any, service: Service
) -> None:
    powers(may_order=False)

    answer = call("add", service=service.pk, link=LINK, quantity=1000)

    assert answer == {"error": "This key may not order services"}
    assert Order.objects.count() == 0


def test_cancel_when_a_key_may_only_buy_numbers_then_orders_of_services_stay(
    call: Call, powers: Any, service: Service
) -> None:
    order = call("add", service=service.pk, link=LINK, quantity=1000)["order"]
    powers(may_order=False)

    answer = call("cancel", orders=order)

    assert answer == [{"order": order, "cancel": {"error": "This key may not order services"}}]
    assert Order.objects.get().status == "paid"


def test_address_when_the_key_belongs_elsewhere_then_the_text_says_so(call: Call, powers: Any, settings: Any) -> None:
    powers(allowed_addresses="203.0.113.0/24")
    assert call("balance") == {"error": "This key may not be used from this address"}

    powers(allowed_addresses="127.0.0.0/8")
    assert call("balance")["currency"] == "USD"


def test_address_when_a_proxy_stands_in_front_then_its_word_counts_only_if_it_is_ours(
    key: str, powers: Any, settings: Any
) -> None:
    powers(allowed_addresses="203.0.113.7")
    asked = {"key": key, "action": "balance"}
    headers = {"x-forwarded-for": "203.0.113.7"}

    assert "error" in Client().post("/api/v2", asked, headers=headers).json()
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert "error" not in Client().post("/api/v2", asked, headers=headers).json()
    forged = {"x-forwarded-for": "203.0.113.7, 198.51.100.1"}
    assert "error" in Client().post("/api/v2", asked, headers=forged).json()


# --- The daily limit ------------------------------------------------------------------------------------------------
def test_daily_limit_when_it_is_reached_then_nothing_is_taken_and_repeats_are_still_answered(
    call: Call, powers: Any, service: Service, ann: User
) -> None:
    powers(daily_limit_micros=2_000_000)
    asked = {"service": service.pk, "link": LINK, "quantity": 1000}
    first = call("add", **asked, request_id="one")

    assert call("add", **asked) == {"error": "Daily spending limit of this key is reached"}
    assert call("add", **asked, request_id="one") == first
    assert Wallet.objects.get(user=ann).balance_micros == 98_125_000
    assert ApiKeySpending.objects.get().spent_micros == 1_875_000
    other = create_api_key(user=ann, name="other")[1]
    assert "order" in call("add", **asked, key=other)


@pytest.mark.django_db(transaction=True)
def test_daily_limit_when_many_order_at_once_then_it_is_never_passed(
    call: Call, powers: Any, service: Service, ann: User, settings: Any
) -> None:
    settings.API_CALLS_AT_ONCE = 10
    powers(daily_limit_micros=3 * 1_875_000)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: _answered(call, service), range(6)))

    assert sum("order" in answer for answer in answers) == 3
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000 - 3 * 1_875_000


@pytest.mark.django_db(transaction=True)
def test_request_id_when_it_is_repeated_all_at_once_then_one_order_is_made_and_charged(
    call: Call, key: str, service: Service, ann: User, settings: Any
) -> None:
    settings.API_CALLS_AT_ONCE = 10

    with ThreadPoolExecutor(6) as pool:
        same = list(pool.map(lambda _: _answered(call, service, request_id="one"), range(6)))
        mixed = list(pool.map(lambda n: _answered(call, service, quantity=1000 + n, request_id="two"), range(6)))

    assert same == [same[0]] * 6
    assert "order" in same[0]
    assert sum("order" in answer for answer in mixed) == 1
    assert mixed.count({"error": "request_id was used with other values"}) == 5
    assert Order.objects.count() == 2
    assert Wallet.objects.get(user=ann).balance_micros == 100_000_000 - sum(
        Order.objects.values_list("price_micros", flat=True)
    )


def _answered(call: Call, service: Service, **asked: Any) -> dict:
    from django.db import connection

    try:
        return call("add", **{"service": service.pk, "link": LINK, "quantity": 1000, **asked})
    finally:
        connection.close()


# --- Calls a minute -------------------------------------------------------------------------------------------------
def post(key: str, **asked: Any) -> Any:
    return Client(enforce_csrf_checks=True).post("/api/v2", {"key": key, "action": "balance", **asked})


def test_calls_a_minute_when_a_key_has_used_them_up_then_it_is_refused_and_others_are_not(
    key: str, powers: Any, ben: User
) -> None:
    powers(calls_per_minute=3)
    answers = [post(key) for _each in range(5)]

    assert [answer["X-RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0", "0"]
    assert [answer.json() == TOO_OFTEN for answer in answers] == [False] * 3 + [True] * 2
    assert {answer.status_code for answer in answers} == {200}
    assert {answer["X-RateLimit-Limit"] for answer in answers} == {"3"}
    assert 0 < int(answers[-1]["X-RateLimit-Reset"]) <= 60
    assert answers[-1]["Retry-After"] == answers[-1]["X-RateLimit-Reset"]
    assert "Retry-After" not in answers[0]
    assert post(create_api_key(user=ben, name="his")[1]).json()["currency"] == "USD"
    powers(http_errors=True)
    assert post(key).status_code == 429


def test_calls_a_minute_when_keys_are_guessed_then_the_address_is_refused(key: str, settings: Any) -> None:
    settings.API_CALLS_PER_MINUTE_PER_ADDRESS = 3

    answers = [post(f"live_{number}").json() for number in range(5)]

    assert answers == [{"error": "Invalid API key"}] * 3 + [TOO_OFTEN] * 2
    assert post(key).json()["currency"] == "USD"


def test_calls_a_minute_when_a_call_is_counted_then_its_key_or_address_has_a_counter_that_ends_by_itself(
    key: str, redis_server: redis.Redis
) -> None:
    post(key)
    post("live_guessed")

    counters = sorted(redis_server.scan_iter("api:calls:*"))
    assert [name.decode().split(":")[2] for name in counters] == ["from", "key"]
    assert all(0 < redis_server.pttl(name) <= 60_000 for name in counters)


@pytest.fixture
def dead_redis(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A Redis that nobody answers for."""
    monkeypatch.setattr(limits, "_counters", limits._Counters())
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    return


def test_calls_a_minute_when_redis_is_lost_then_calls_go_on_and_it_is_said_once(
    key: str, dead_redis: None, caplog: pytest.LogCaptureFixture
) -> None:
    answers = [post(key) for _each in range(3)]

    assert [answer.json()["currency"] for answer in answers] == ["USD"] * 3
    assert "X-RateLimit-Limit" not in answers[0]
    said = [record for record in caplog.records if "not counted" in record.getMessage()]
    assert len(said) == 1


# --- At once --------------------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("waits", "maximum"), [(False, 2), (True, 1)])
def test_calls_at_once_when_a_customer_has_many_keys_then_together_they_get_one_place_more(
    ann: User, ben: User, settings: Any, waits: bool, maximum: int
) -> None:
    settings.API_CALLS_AT_ONCE = 1
    first, second, third, others = (
        create_api_key(user=user, name=name)[0] for user, name in ((ann, "1"), (ann, "2"), (ann, "3"), (ben, "4"))
    )
    with ExitStack() as held:
        for key in (*[first] * maximum, second):
            held.enter_context(limits.place_for(key, waits=waits))
        for key in (first, second, third):
            with pytest.raises(ApiError), limits.place_for(key, waits=waits):
                pass
        with limits.place_for(others, waits=waits):
            pass
    with limits.place_for(third, waits=waits):
        pass


def test_calls_at_once_when_one_key_floods_then_it_alone_is_refused(ann: User, ben: User, settings: Any) -> None:
    settings.API_CALLS_AT_ONCE = 1
    mine, _text = create_api_key(user=ann, name="mine")
    _his, text = create_api_key(user=ben, name="his")
    inside, go_on = threading.Barrier(3), threading.Event()

    def hold(key: ApiKey) -> None:
        with limits.place_for(key, waits=False):
            inside.wait(5)
            go_on.wait(5)

    with ThreadPoolExecutor(2) as pool:
        for _each in range(2):
            pool.submit(hold, mine)
        inside.wait(5)
        with pytest.raises(limits.ApiError, match="at once"), limits.place_for(mine, waits=False):
            pass
        answer = post(text).json()
        go_on.set()

    assert answer["currency"] == "USD"
    with limits.place_for(mine, waits=False):
        assert limits._under_way._calls == {f"key:{mine.pk}": 1, f"user:{ann.pk}": 1}
    assert not limits._under_way._calls


@pytest.mark.django_db(transaction=True)
def test_calls_at_once_when_numbers_come_slowly_then_a_flood_is_refused_and_others_are_answered(
    key: str, ben: User, live_server: LiveServer, sandbox: Sandbox, settings: Any
) -> None:
    settings.API_CALLS_AT_ONCE = 2
    row = sandbox.client().sms_projects(country="us")[0]
    country = Country.objects.create(code="us", name="United States")
    project = Project.objects.create(
        upstream_id=row.project_id, country=country, name=row.name, price_upstream_micros=500_000
    )
    his = create_api_key(user=ben, name="his")[1]
    sandbox.fail_next("slow", action="add_sms", times=2, seconds=1.5)
    address = f"{live_server.url}/api/v2"

    def buy(_number: int) -> Any:
        return requests.post(address, {"key": key, "action": "add_sms", "project_id": project.pk}, timeout=20).json()

    with ThreadPoolExecutor(6) as pool:
        flood = [pool.submit(buy, number) for number in range(6)]
        time.sleep(0.5)
        began = time.monotonic()
        answer = requests.post(address, {"key": his, "action": "balance"}, timeout=20).json()
        waited = time.monotonic() - began
        answers = [each.result() for each in flood]

    assert answer["balance"] == "100.00"
    assert waited < 1
    assert sum("orders" in each for each in answers) == 2
    assert answers.count({"error": "Too many requests at once, rate limit exceeded"}) == 4
    assert Order.objects.count() == 2


@pytest.mark.parametrize("text", [limits.TOO_OFTEN, limits.TOO_MANY_AT_ONCE])
def test_a_shop_that_buys_here_knows_that_a_throttled_purchase_bought_nothing(text):
    assert meaning_of(text, 200) == KnownRefusal.Meaning.LATER
