"""What is left of a limited service: asked once for everybody, stored when it differs, never waited for long."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest
from django.core.cache import cache
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from catalog.models import Service
from catalog.operations.stock import ASKING, refresh_stock
from tests.catalog.listing_rows import put_on_sale

UPSTREAM_ID = 900_001


@pytest.fixture
def limited(service, sandbox):
    """The service of everybody's tests, with 500 left here and upstream."""
    return stock_becomes(service, sandbox, 500)


def stock_becomes(service, sandbox, stock, *, upstream="the same"):
    Service.objects.filter(pk=service.pk).update(stock=stock)
    sandbox.set_service(UPSTREAM_ID, stock=stock if upstream == "the same" else upstream)
    service.refresh_from_db()
    return service


def stored(service) -> int | None:
    return Service.objects.values_list("stock", flat=True).get(pk=service.pk)


def questions(sandbox) -> int:
    return sum(call["action"] == "inventory" for call in sandbox.requests)


@pytest.mark.parametrize("upstream", [42, 0, None])
def test_refresh_stock_when_upstream_says_otherwise_stores_it(limited, sandbox, upstream):
    sandbox.set_service(UPSTREAM_ID, stock=upstream)

    refresh_stock(limited)

    assert (stored(limited), limited.stock) == (upstream, upstream)
    assert Service.objects.get(pk=limited.pk).changed_at > limited.changed_at


def test_refresh_stock_when_nothing_changed_writes_nothing(limited, django_assert_num_queries):
    with django_assert_num_queries(1):  # what is stored
        refresh_stock(limited)
    with django_assert_num_queries(0):
        refresh_stock(limited)


def test_refresh_stock_of_a_service_out_of_a_cache_stores_what_upstream_says_all_the_same(limited, sandbox):
    old = Service.objects.get(pk=limited.pk)
    stock_becomes(limited, sandbox, 77, upstream=5)

    refresh_stock(old)

    assert (stored(limited), old.stock) == (5, 5)


def test_refresh_stock_of_a_service_out_of_a_cache_when_others_have_asked_reads_what_they_stored(limited, sandbox):
    old = Service.objects.get(pk=limited.pk)
    sandbox.set_service(UPSTREAM_ID, stock=42)
    refresh_stock(limited)

    refresh_stock(old)

    assert (old.stock, questions(sandbox)) == (42, 1)


def test_refresh_stock_of_a_service_without_limit_or_withdrawn_asks_nobody(service, sandbox):
    refresh_stock(service)
    refresh_stock(put_on_sale("Gone", stock=5, withdrawn_at=service.changed_at))

    assert questions(sandbox) == 0


def test_refresh_stock_again_within_the_cache_time_asks_once_and_later_anew(limited, sandbox, settings):
    settings.STOCK_CACHE_SECONDS = 0.3
    settings.STOCK_TIMEOUT_SECONDS = 0.15

    refresh_stock(limited)
    refresh_stock(limited)
    asked_at_once = questions(sandbox)
    time.sleep(0.35)
    refresh_stock(limited)

    assert (asked_at_once, questions(sandbox)) == (1, 2)


@pytest.mark.django_db(transaction=True)
def test_refresh_stock_by_many_at_once_asks_one_question_and_all_hear_the_answer(limited, sandbox):
    sandbox.set_service(UPSTREAM_ID, stock=7)
    sandbox.fail_next("slow", action="inventory", seconds=0.4)

    def look(_number: int) -> int | None:
        try:
            mine = Service.objects.get(pk=limited.pk)
            refresh_stock(mine)
            return mine.stock
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as visitors:
        seen = list(visitors.map(look, range(6)))

    assert (seen, questions(sandbox)) == ([7] * 6, 1)


@pytest.mark.parametrize(
    ("fault", "options"),
    [
        ("refuse_connections", {}),
        ("500_before", {"times": 3, "action": "inventory"}),
        ("garbage", {"times": 3, "action": "inventory"}),
        ("refuse", {"action": "inventory", "text": "Service not found"}),
    ],
)
def test_refresh_stock_when_upstream_has_no_answer_keeps_what_is_stored(limited, sandbox, fault, options):
    sandbox.fail_next(fault, **options)

    refresh_stock(limited)

    assert (stored(limited), limited.stock) == (500, 500)
    sandbox.clear_faults()


def test_refresh_stock_when_upstream_is_slow_gives_up_in_time_and_lets_the_next_one_pass(limited, sandbox, settings):
    settings.STOCK_TIMEOUT_SECONDS = 0.3
    sandbox.fail_next("slow", action="inventory", seconds=1)

    moments = [time.monotonic()]
    for _visitor in range(2):
        refresh_stock(limited)
        moments.append(time.monotonic())

    first, second = (after - before for before, after in pairwise(moments))
    assert (first < 0.8, second < 0.2, limited.stock) == (True, True, 500)


def test_refresh_stock_when_who_asked_has_died_waits_a_bounded_time(limited, settings):
    settings.STOCK_TIMEOUT_SECONDS = 0.2
    cache.add(f"stock:{limited.pk}", ASKING, timeout=60)
    began = time.monotonic()

    refresh_stock(limited)

    assert 0.2 <= time.monotonic() - began < 0.8
    assert limited.stock == 500


@pytest.mark.django_db(transaction=True)
def test_refresh_stock_when_a_sync_has_written_meanwhile_lets_that_stand(limited, sandbox):
    sandbox.set_service(UPSTREAM_ID, stock=42)
    sandbox.fail_next("slow", action="inventory", seconds=1)

    def sync() -> None:
        while not questions(sandbox):
            time.sleep(0.02)
        Service.objects.filter(pk=limited.pk).update(stock=300)
        connection.close()

    with ThreadPoolExecutor(1) as beside:
        beside.submit(sync)
        refresh_stock(limited)

    assert (stored(limited), limited.stock) == (300, 300)


def test_refresh_stock_while_redis_is_away_still_asks(limited, sandbox, settings):
    default = settings.CACHES["default"]
    settings.CACHES = {"default": {**default, "LOCATION": "redis://127.0.0.1:9/0"}}
    sandbox.set_service(UPSTREAM_ID, stock=3)

    refresh_stock(limited)

    assert stored(limited) == 3


def test_refresh_stock_of_several_asks_for_each_and_a_slow_one_holds_up_no_other(limited, sandbox, settings):
    settings.STOCK_TIMEOUT_SECONDS = 1
    others = [put_on_sale(f"Service {number}", stock=10, upstream_id=number) for number in (1, 2)]
    for each in others:
        sandbox.set_service(each.upstream_id, stock=20)
    sandbox.fail_next("slow", action="inventory", seconds=3)
    began = time.monotonic()

    refresh_stock(limited, *others)

    assert time.monotonic() - began < 2
    assert questions(sandbox) == 3
    assert [stored(each) for each in (limited, *others)].count(20) >= 1  # whichever was not the slow one


def test_refresh_stock_of_more_than_fit_in_the_time_lets_the_rest_go(limited, sandbox, settings):
    settings.STOCK_TIMEOUT_SECONDS = 0.5
    settings.UPSTREAM_MAX_IN_FLIGHT = 1
    others = [put_on_sale(f"Service {number}", stock=10, upstream_id=number) for number in (1, 2)]
    sandbox.fail_next("slow", action="inventory", seconds=0.45, times=3)
    began = time.monotonic()

    refresh_stock(limited, *others)

    assert time.monotonic() - began < 0.85


def test_refresh_stock_without_an_upstream_does_nothing(limited, settings):
    settings.UPSTREAM_URL = ""

    refresh_stock(limited)

    assert limited.stock == 500


# --- The callers --------------------------------------------------------------------------------------------------
def test_place_page_of_a_limited_service_asks_for_a_customer_and_not_for_a_visitor(client, ann, limited, sandbox):
    sandbox.set_service(UPSTREAM_ID, stock=42)
    address = reverse("orders:place", args=[limited.pk])

    client.get(address)
    asked_for_visitor = questions(sandbox)
    client.force_login(ann)
    page = client.get(address).content.decode()

    assert (asked_for_visitor, questions(sandbox)) == (0, 1)
    assert "From 10 to 42." in page


@pytest.mark.django_db(transaction=True)
def test_place_order_asks_outside_any_transaction(ann, limited, sandbox, settings):
    from orders.models import Order
    from orders.placing.place import place_order

    settings.STOCK_TIMEOUT_SECONDS = 3
    sandbox.fail_next("slow", action="inventory", seconds=0.8)

    def buy() -> None:
        try:
            place_order(
                user=ann, service=limited, quantity=10, link="https://example.com/a", request_id="1", now=timezone.now()
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as customer:
        bought = customer.submit(buy)
        time.sleep(0.3)
        assert not bought.done()
        began = time.monotonic()
        Service.objects.filter(pk=limited.pk).update(description="nobody holds a lock")
        assert time.monotonic() - began < 0.4
        bought.result()
    assert Order.objects.count() == 1
