"""The list of services is kept, short ones in the cache, long ones in files: every change shows in the next answer."""

import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser

from accounts.keys.api_keys import create_api_key
from accounts.models import ApiKey, CustomerGroup, User
from api.actions import services
from api.actions.services import stock_of
from catalog.models import Category, MarkupRule, Rounding, Service
from catalog.operations.overrides import confirm_rate_units
from catalog.pricing import price_book
from catalog.sync.sync_catalog import sync_catalog
from tests.api.conftest import Call
from tests.storefront.admin_rows import make_quality, make_service
from upstream.client import Client
from upstream.money import text_from_micros
from upstream.sandbox.process import Sandbox

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["short", "long"])
def folder(request: pytest.FixtureRequest, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where files are kept; once with a list short enough for the cache, once with one that is too long for it."""
    settings.API_CACHE_DIR = tmp_path / "lists"
    if request.param == "long":
        monkeypatch.setattr(services, "SHORT", 2)
    return tmp_path / "lists"


@pytest.fixture
def long(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of files; every list of more than two services is a long one."""
    monkeypatch.setattr(services, "SHORT", 2)
    settings.API_CACHE_DIR = tmp_path / "lists"
    return tmp_path / "lists"


@pytest.fixture
def listing(db: None) -> list[Service]:
    return [make_service(number) for number in (1, 2, 3, 4)]


def measured(service: Service) -> dict[str, Any]:
    """Return what is said of a service whose orders have been measured, here always the same."""
    if not hasattr(service, "quality"):
        return {}
    quality = {"days": 30, "orders": 200, "completed_percent": 94, "partial_percent": 4, "refunded_percent": 2}
    quality |= {"start_minutes": 12, "start_minutes_p90": 30, "done_minutes": 120, "done_minutes_p90": 180}
    return {"average_time": 120, "quality": quality}


def expected(user: User) -> list[dict[str, Any]]:
    """Return the rows of the list as the models and the price book have them."""
    book = price_book(User.objects.get(pk=user.pk))
    return [
        {
            "service": service.pk,
            "name": service.title,
            "type": service.type,
            "category": service.category.title,
            "rate": text_from_micros(book.rate_per_thousand_micros(service)),
            "min": service.min_quantity,
            "max": service.max_quantity,
            "refill": service.refill,
            "cancel": service.cancel,
            "stock": stock_of(service),
            **measured(service),
        }
        for service in Service.objects.on_sale().select_related("category")
    ]


def raise_prices(listing: list[Service], user: User) -> None:
    MarkupRule.objects.create(scope="service", service=listing[0], percent=Decimal(70), fixed_micros=12_345)


def price_by_category(listing: list[Service], user: User) -> None:
    MarkupRule.objects.create(
        scope="category", category=listing[1].category, percent=Decimal(40), rounding=Rounding.NINETY_NINE
    )


def give_discount(listing: list[Service], user: User) -> None:
    user.group = CustomerGroup.objects.create(name="Resellers", discount_percent=Decimal("7.5"))
    user.save(update_fields=["group"])


def sell_out(listing: list[Service], user: User) -> None:
    Service.objects.filter(pk=listing[1].pk).update(stock=0)


def pause(listing: list[Service], user: User) -> None:
    Service.objects.filter(pk=listing[1].pk).update(paused_because="too dear")


def hide(listing: list[Service], user: User) -> None:
    Service.objects.filter(pk=listing[2].pk).update(visible=False)


def measure(listing: list[Service], user: User) -> None:
    make_quality(listing[1])


def rename(listing: list[Service], user: User) -> None:
    Category.objects.filter(pk=listing[0].category_id).update(display_name="Instagram", rate_per=1)


def set_own_price(listing: list[Service], user: User) -> None:
    Service.objects.filter(pk=listing[0].pk).update(
        rate_override_micros=9_000_001, rate_per_override=1, display_name="Ours"
    )


@pytest.mark.parametrize(
    "change", [raise_prices, price_by_category, give_discount, sell_out, pause, hide, measure, rename, set_own_price]
)
def test_services_when_something_has_changed_then_the_next_answer_has_it(
    call: Call, ann: User, listing: list[Service], folder: Path, change: Callable[[list[Service], User], None]
) -> None:
    before = call("services")["services"]
    assert before == expected(ann) == call("services")["services"]

    change(listing, ann)

    after = call("services")["services"]
    assert after == expected(ann)
    assert after != before


def test_services_when_a_groups_discount_changes_then_the_next_answer_has_it(
    call: Call, ann: User, listing: list[Service], folder: Path
) -> None:
    give_discount(listing, ann)
    before = call("services")["services"]

    CustomerGroup.objects.update(discount_percent=Decimal(20))

    assert call("services")["services"] == expected(ann) != before


def test_services_when_a_rule_begins_or_ends_in_a_moment_then_the_answer_follows(
    call: Call, ann: User, listing: list[Service], folder: Path
) -> None:
    begins = datetime.now(UTC) + timedelta(seconds=0.6)
    ends = begins + timedelta(seconds=0.8)
    MarkupRule.objects.create(scope="all", percent=Decimal(90), valid_from=begins, valid_until=ends)
    rates = {}
    for moment in ("before", "during", "after"):
        rates[moment] = [row["rate"] for row in call("services")["services"]]
        assert rates[moment] == [row["rate"] for row in call("services")["services"]]
        time.sleep(0.7)

    assert (rates["before"][0], rates["during"][0], rates["after"][0]) == ("1.875", "2.85", "1.875")


def test_services_when_a_sync_brought_news_then_the_next_answer_has_them(
    call: Call, ann: User, sandbox: Sandbox, client_upstream: Client, folder: Path
) -> None:
    sync_catalog(client=client_upstream, now=datetime.now(UTC))
    confirm_rate_units(Category.objects.all(), now=datetime.now(UTC))
    before = call("services")
    assert before["services"] == expected(ann)

    new = {"service": 900_007, "name": "New", "type": "Default", "category": "New", "rate": "3.00", "min": 1, "max": 9}
    sandbox.add_service(**new)
    sync_catalog(client=client_upstream, now=datetime.now(UTC))
    assert call("services") == before  # nobody knows yet how many pieces its rate buys
    confirm_rate_units(Category.objects.all(), now=datetime.now(UTC))

    after = call("services")
    assert after["services"] == expected(ann)
    assert after["total"] == before["total"] + 1


def test_services_when_two_customers_pay_different_prices_then_each_sees_their_own(
    call: Call, ann: User, ben: User, listing: list[Service], folder: Path
) -> None:
    give_discount(listing, ben)
    bens = create_api_key(user=ben, name="robot")[1]
    for _twice in range(2):
        assert call("services")["services"] == expected(ann)
        assert call("services", key=bens)["services"] == expected(ben) != expected(ann)


def test_services_when_a_key_changes_its_habits_then_the_next_answer_is_formatted_so(
    call: Call, ann: User, listing: list[Service], folder: Path
) -> None:
    plain = call("services")

    ApiKey.objects.update(numbers_as_text=True)
    as_text = call("services")
    ApiKey.objects.update(numbers_as_text=False, bare_services=True)
    bare = call("services")

    assert as_text["services"][0] == {
        **plain["services"][0],
        **{name: str(plain["services"][0][name]) for name in ("service", "min", "max", "stock")},
    }
    assert (as_text["total"], as_text["page"], as_text["limit"], as_text["total_pages"]) == ("4", "1", "4", "1")
    assert bare == plain["services"]


def test_services_when_a_page_is_long_then_it_says_which_it_is(call: Call, listing: list[Service], long: Path) -> None:
    answer = call("services", limit=3, page=1)

    assert [row["service"] for row in answer["services"]] == [service.pk for service in listing[:3]]
    assert (answer["total"], answer["page"], answer["limit"], answer["total_pages"]) == (4, 1, 3, 2)


def test_services_when_the_list_is_long_then_a_file_is_sent_with_its_length(
    key: str, call: Call, listing: list[Service], long: Path, django_assert_num_queries: Any
) -> None:
    whole = call("services")
    call("services")
    time.sleep(2.1)  # until a changed version is trusted again
    call("services")

    with django_assert_num_queries(0):
        answer = Browser().post("/api/v2", {"key": key, "action": "services"})

    (kept,) = long.glob("*.json")
    assert answer.streaming
    assert answer["Content-Type"] == "application/json"
    assert int(answer["Content-Length"]) == kept.stat().st_size == len(answer.getvalue())
    assert "Content-Disposition" not in answer
    assert call("services") == whole


def test_services_when_files_vanish_or_age_then_they_are_written_anew(
    call: Call, ann: User, listing: list[Service], long: Path, settings: Any
) -> None:
    call("services")
    for file in long.iterdir():
        file.unlink()
    long.rmdir()
    assert call("services")["services"] == expected(ann)

    (kept,) = long.glob("*.json")
    kept.write_bytes(b"of another database")
    long_ago = time.time() - settings.PAGE_CACHE_SECONDS - 1

    os.utime(kept, (long_ago, long_ago))

    assert call("services")["services"] == expected(ann)


def test_services_when_the_catalog_changes_then_the_old_file_goes(
    call: Call, ann: User, listing: list[Service], long: Path
) -> None:
    call("services")
    (before,) = long.glob("*.json")
    hide(listing, ann)
    call("services")

    (after,) = long.glob("*.json")
    assert after != before


def test_services_when_nothing_can_be_written_then_the_list_comes_all_the_same(
    call: Call, ann: User, listing: list[Service], long: Path
) -> None:
    long.write_text("not a folder")

    assert call("services")["services"] == expected(ann)
