"""A preference that is changed counts at once where it was changed: prices, limits, ways to pay, polling."""

import time
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.keys.api_keys import TooManyKeys, create_api_key
from accounts.models import User
from accounts.preferences import MAX_KEYS, REFERRAL_SHARE, REFERRED_FOR
from api.limits import count_call
from api.preferences import CALLS_PER_MINUTE, MAX_WEBHOOKS
from catalog.browse.newness import is_new
from catalog.models import PriceList, Service
from catalog.preferences import DEFAULT_MARKUP, FLOOR_MARGIN, MEASURED_DAYS, MEASURED_LEAST, NEW_FOR
from catalog.preferences import UNCONFIRMED_MAX_COST as MAX_COST
from catalog.pricing.repricing import reprice_if_due, reprice_services
from orders.accounting.service_quality import first_day, measure_quality
from orders.fulfilment.margin import Hold, hold_order
from orders.models import Order, ReferralEarning, ServicePace
from orders.models.reasons import HoldReason
from orders.pages.forms import quote_for
from orders.placing.mass import MassLine, place_orders
from orders.placing.promised_losses import take_loss
from orders.placing.refusals import OrderRefused
from orders.preferences import MARGIN_HELD, MASS_ORDER_LINES, POLL_LATEST, POLL_SOONEST, PRICE_HELD, PRICE_HELD_LOSS
from sms import preferences as of_numbers
from sms.limits import limits_of
from sms.operations.replacement_rules import ReplacementRequest
from sms.poll_interval import Pace
from tests.catalog.listing_rows import put_on_sale
from tests.conftest import customer
from tests.pages import page_words
from tests.preferences.known import no_preferences, prefer
from tests.preferences.processes import asked
from tests.storefront.admin_rows import make_order
from tests.storefront.web.test_doors import order_of
from tests.workers import database_url
from wallet.gateways.base import Terms
from wallet.operations import TopUpRefused, price_top_up
from wallet.preferences import SELLER, TAX, TERMS
from wallet.receipts import issue_receipt

pytestmark = pytest.mark.django_db
DOLLAR = 1_000_000


@pytest.fixture
def followers(db: None) -> Service:
    return put_on_sale("Followers")  # 1.50 per thousand


# --- Prices -----------------------------------------------------------------------------------------------------------
def test_a_new_markup_shows_and_is_charged_at_once_and_lists_follow(ann: User, followers: Service) -> None:
    reprice_services(now=timezone.now())
    address = reverse("orders:place", args=[followers.pk])
    assert "$1.875" in page_words(Client().get(address))

    prefer(DEFAULT_MARKUP, Decimal(100))

    assert "$3.00" in page_words(Client().get(address))
    assert order_of(ann, followers).price_micros == 3 * DOLLAR
    followers.refresh_from_db()
    assert followers.selling_rate_micros == 1_875_000  # of the lists: not yet
    version = PriceList.objects.get().version
    done = reprice_if_due(now=timezone.now())
    followers.refresh_from_db()
    assert done is not None
    assert (followers.selling_rate_micros, done.version) == (3 * DOLLAR, version + 1)
    assert reprice_if_due(now=timezone.now()) is None


def test_a_task_that_was_woken_by_the_change_does_not_reckon_with_what_its_process_knew(followers: Service) -> None:
    reprice_services(now=timezone.now())
    prefer(DEFAULT_MARKUP, Decimal(100))
    # As a worker would be that asked a moment before.
    no_preferences()
    assert DEFAULT_MARKUP.value == 25
    cache.clear()

    assert reprice_if_due(now=timezone.now()) is not None


def test_saving_a_price_wakes_the_worker(django_capture_on_commit_callbacks: Any, monkeypatch: Any) -> None:
    from notifications import wake_worker

    woken: list[str] = []
    monkeypatch.setattr(wake_worker._messenger, "tell", lambda wake: woken.append(wake.task))

    for preference, value in ((DEFAULT_MARKUP, Decimal(30)), (FLOOR_MARGIN, Decimal(5)), (MAX_KEYS, 5)):
        with django_capture_on_commit_callbacks(execute=True):
            prefer(preference, value)

    assert woken == ["catalog.tasks.reprice_services"] * 2


def test_no_price_falls_below_the_floor_that_was_set(ann: User, followers: Service) -> None:
    prefer(DEFAULT_MARKUP, Decimal(0))
    prefer(FLOOR_MARGIN, Decimal(60))

    assert order_of(ann, followers).price_micros == 2_400_000


def test_a_markup_below_the_floor_is_told(followers: Service) -> None:
    prefer(FLOOR_MARGIN, Decimal(60))

    assert "below the floor margin of 60%" in DEFAULT_MARKUP.warn(DEFAULT_MARKUP.value)
    assert "below the floor margin of 60%" in FLOOR_MARGIN.warn(FLOOR_MARGIN.value)
    prefer(DEFAULT_MARKUP, Decimal(60))
    assert not DEFAULT_MARKUP.warn(DEFAULT_MARKUP.value)


def test_how_long_a_price_is_kept_and_what_that_may_cost(ann: User, followers: Service) -> None:
    prefer(PRICE_HELD, timedelta(minutes=3))
    prefer(PRICE_HELD_LOSS, 100)
    now = timezone.now()

    assert quote_for(followers, ann, "1000").held_minutes == 3
    until = now + timedelta(minutes=3)
    assert not take_loss(ann, followers, 101, until=until, now=now)
    assert take_loss(ann, followers, 100, until=until, now=now)


def test_what_may_be_bought_while_a_price_is_not_confirmed(followers: Service) -> None:
    followers.category.rate_confirmed_at = None

    prefer(MAX_COST, 150 * DOLLAR)

    assert followers.max_orderable == 100  # each may cost 1.50


# --- Services ---------------------------------------------------------------------------------------------------------
def test_how_long_a_service_is_new(followers: Service) -> None:
    now = timezone.now()
    Service.objects.filter(pk=followers.pk).update(first_seen_at=now - timedelta(days=60))
    young = put_on_sale("Likes", first_seen_at=now - timedelta(days=20))
    assert not is_new(young, now)

    prefer(NEW_FOR, timedelta(days=30))
    assert is_new(young, now)
    prefer(NEW_FOR, timedelta(0))
    assert not is_new(young, now)


def test_of_which_time_and_from_how_many_orders_on_quality_is_told(ann: User, followers: Service) -> None:
    now = timezone.now()
    for _order in range(3):
        make_order(ann, service=followers, status="completed", finished_at=now)
    measure_quality(now=now)
    assert not hasattr(Service.objects.get(), "quality")

    prefer(MEASURED_LEAST, 3)
    prefer(MEASURED_DAYS, timedelta(days=10))
    measure_quality(now=now)

    assert Service.objects.get().quality.orders == 3
    assert first_day(now) > now - timedelta(days=10)


# --- Orders -----------------------------------------------------------------------------------------------------------
def test_how_many_orders_may_be_placed_at_once(ann: User, followers: Service) -> None:
    prefer(MASS_ORDER_LINES, 2)
    lines = [MassLine(followers.pk, f"https://instagram.com/{name}", 100) for name in "abc"]
    browser = Client()
    browser.force_login(ann)
    text = "\n".join(f"{line.service_id} | {line.link} | 100" for line in lines)

    assert "you can order up to 2 at once" in page_words(browser.post(reverse("orders:mass"), {"text": text}))
    with pytest.raises(OrderRefused, match="between 1 and 2 lines"):
        place_orders(user=ann, lines=lines, request_id="m", now=timezone.now())
    assert len(place_orders(user=ann, lines=lines[:2], request_id="m", now=timezone.now())) == 2


def test_how_long_an_order_that_would_lose_money_is_held(ann: User, followers: Service) -> None:
    order, now = order_of(ann, followers), timezone.now()
    prefer(MARGIN_HELD, timedelta(hours=5))

    assert hold_order(order, Hold(HoldReason.LOSS, {"cost_micros": 2, "paid_micros": 1}), now=now)

    order.refresh_from_db()
    assert order.held_until == now + timedelta(hours=5)


def test_what_a_referral_brings_and_for_how_long(ann: User, followers: Service) -> None:
    kim = customer("kim@example.com", money="10", referred_by=ann)
    order_of(kim, followers)
    assert not ReferralEarning.objects.exists()

    prefer(REFERRAL_SHARE, Decimal("12.5"))
    order_of(kim, followers)
    User.objects.filter(pk=kim.pk).update(date_joined=timezone.now() - timedelta(days=20))
    kim.refresh_from_db()
    prefer(REFERRED_FOR, timedelta(days=19))
    order_of(kim, followers)

    assert [earning.percent for earning in ReferralEarning.objects.all()] == [Decimal("12.5")]
    browser = Client()
    browser.force_login(ann)
    assert "12.5" in page_words(browser.get(reverse("orders:referrals")))


def test_how_often_orders_are_asked_about(ann: User, followers: Service) -> None:
    from orders.fulfilment.service_supply import ServiceSupply

    now = timezone.now()
    order = make_order(ann, service=followers, status="pending", upstream_id=1)
    Order.objects.filter(pk=order.pk).update(sent_at=now)
    order.refresh_from_db()
    order.service.pace = ServicePace(service=followers, finished=0, usual_seconds=0)
    prefer(POLL_SOONEST, timedelta(seconds=40))
    assert ServiceSupply().next_poll(order, now) == now + timedelta(seconds=40)

    prefer(POLL_LATEST, timedelta(seconds=60))

    assert ServiceSupply().next_poll(order, now + timedelta(days=3)) == now + timedelta(days=3, seconds=60)


# --- Numbers ----------------------------------------------------------------------------------------------------------
def test_limits_of_numbers_and_when_they_may_be_replaced(ann: User) -> None:
    prefer(of_numbers.MAX_OPEN, 7)
    prefer(of_numbers.MAX_PER_DAY, 8)
    prefer(of_numbers.REPLACED_AFTER, timedelta(seconds=90))

    assert limits_of(ann) == (7, 8)
    assert ReplacementRequest(cap_micros=1).fields(timezone.now())["after_seconds"] == 90


def test_how_often_numbers_are_asked_about() -> None:
    assert Pace(20, 1.0).interval(0) == 3
    prefer(of_numbers.POLL_SOONEST, timedelta(seconds=5))

    assert Pace(20, 1.0).interval(0) == 5


# --- Payments ---------------------------------------------------------------------------------------------------------
def test_what_a_way_to_pay_costs_adds_and_takes(settings: Any) -> None:
    settings.MANUAL_TRANSFER_DETAILS = "IBAN"
    terms = TERMS["manual"]
    values = [(terms.least, 20 * DOLLAR), (terms.most, 40 * DOLLAR), (terms.fee_percent, Decimal(10))]
    for preference, value in [*values, (terms.fee_fixed, DOLLAR), (terms.bonus_percent, Decimal(5))]:
        prefer(preference, value)
    prefer(terms.bonus_from, 30 * DOLLAR)

    for amount, why in ((19, r"minimum amount is \$20"), (41, r"maximum amount is \$40")):
        with pytest.raises(TopUpRefused, match=why):
            price_top_up(gateway="manual", amount_micros=amount * DOLLAR)
    price = price_top_up(gateway="manual", amount_micros=30 * DOLLAR)
    assert (price.fee_micros, price.bonus_micros) == (4 * DOLLAR, 1_500_000)
    assert price_top_up(gateway="manual", amount_micros=29 * DOLLAR).bonus_micros == 0
    assert Terms.of("demo").min_micros == DOLLAR


def test_receipts_name_who_sells_and_the_tax(ann: User) -> None:
    from wallet.models import TopUp

    top_up = TopUp.objects.create(user=ann, gateway="manual", currency="USD", received_micros=12 * DOLLAR,
                                  amount_micros=12 * DOLLAR, pay_micros=12 * DOLLAR)  # fmt: skip
    prefer(SELLER, "Shop Ltd\nHigh Street 1")
    prefer(TAX, Decimal(20))

    receipt = issue_receipt(top_up, now=timezone.now())

    assert (receipt.seller, receipt.tax_micros) == ("Shop Ltd\nHigh Street 1", 2 * DOLLAR)


# --- The API ----------------------------------------------------------------------------------------------------------
def test_limits_of_the_api(ann: User) -> None:
    key, _text = create_api_key(user=ann, name="one")
    prefer(MAX_KEYS, 1)
    prefer(CALLS_PER_MINUTE, 2)
    prefer(MAX_WEBHOOKS, 0)

    with pytest.raises(TooManyKeys):
        create_api_key(user=ann, name="two")
    assert [count_call(key, None).refused for _call in range(3)] == [False, False, True]
    browser = Client()
    browser.force_login(ann)
    assert browser.get(reverse("api:webhooks")).context["maximum"] == 0


# --- Other processes --------------------------------------------------------------------------------------------------
LOOK = """
import sys, django
django.setup()
from catalog.preferences import DEFAULT_MARKUP
from preferences.doors import ORDERS
for line in sys.stdin:
    print(DEFAULT_MARKUP.value, ORDERS.is_closed, flush=True)
"""


@pytest.fixture
def other_process(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("DATABASE_URL", database_url())
    cache.clear()
    with asked(LOOK) as ask:
        yield ask
    no_preferences()


def test_another_process_reckons_with_it_and_refuses_within_seconds(other_process: Any) -> None:
    from preferences.doors import ORDERS

    assert other_process() == "25 False"
    prefer(DEFAULT_MARKUP, Decimal(40))
    prefer(ORDERS.closed, True)

    until = time.monotonic() + 3
    while (said := other_process()) != "40 True" and time.monotonic() < until:
        time.sleep(0.05)
    assert said == "40 True"
