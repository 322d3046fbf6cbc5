"""The price lock: what a signed quote is worth, from the pure weighing to the pages."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog.models import MarkupRule, RateUnit, Service
from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.models import HoldReason, Order, Status
from orders.placing.quotes import (
    Agreed,
    QuoteNotOurs,
    Today,
    agree,
    read_quote,
    sign_quote,
)
from orders.placing.refusals import NotQuoted, PriceChanged, QuoteRefused
from tests.clock import stopped_at
from tests.orders.quoting import quote_of, signed
from tests.pages import alerts, hidden, page_words
from wallet.models import Wallet

LINK = "https://instagram.com/ann"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
DOLLAR = 1_000_000


def rate_becomes(service, micros: int, **fields) -> None:
    """Another upstream rate: 1.60 costs a customer 2.00, and 1.40 costs 1.75."""
    Service.objects.filter(pk=service.pk).update(rate_upstream_micros=micros, **fields)


def expired() -> datetime:
    return timezone.now() - timedelta(seconds=1)


# --- The text -------------------------------------------------------------------------------------------------------
def test_read_quote_returns_what_was_sealed(ann, service):
    quote = quote_of(ann, service, expires_at=NOW)

    assert read_quote(sign_quote(quote)) == quote


def test_read_quote_of_an_altered_or_strange_text_is_refused(ann, service):
    values, _colon, signature = signed(ann, service).rpartition(":")
    other_values = signed(ann, service, price_micros=1).rpartition(":")[0]

    for text in (f"{other_values}:{signature}", f"{values}:{signature[:-1]}", values, "x", "\x00", ":", "é:ü" * 9000):
        with pytest.raises(QuoteNotOurs):
            read_quote(text)


def test_read_quote_signed_for_something_else_is_refused():
    from django.core.signing import Signer

    with pytest.raises(QuoteNotOurs):
        read_quote(Signer().sign_object([1, 1, 1, 1, 1, 1, 4_000_000_000]))


def test_read_quote_from_before_a_key_rotation_has_expired(ann, service, settings):
    quote = quote_of(ann, service)
    text = sign_quote(quote)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "another long key, made up for this test alone"

    with pytest.raises(QuoteNotOurs):
        read_quote(text)
    settings.SECRET_KEY_FALLBACKS = ["older still", old]
    rotated = read_quote(text)

    assert rotated.expires_at < timezone.now() - timedelta(days=365)
    assert replace(rotated, expires_at=quote.expires_at) == replace(quote, expires_at=quote.expires_at)


# --- The weighing ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("seconds_left", "today", "agreed"),
    [
        (60, Today(1_875_000, 1_875_000, 1000, 1_500_000), Agreed(1_875_000, 1_875_000)),  # nothing changed
        (0, Today(1_875_000, 1_875_000, 1000, 1_500_000), Agreed(1_875_000, 1_875_000)),  # expired, the same price
        (60, Today(2_000_000, 2_000_000, 1000, 1_600_000), Agreed(1_875_000, 1_875_000)),  # risen, still no loss
        (0, Today(2_000_000, 2_000_000, 1000, 1_600_000), None),  # risen and expired
        (60, Today(1_750_000, 1_750_000, 1000, 1_400_000), Agreed(1_750_000, 1_750_000)),  # fallen
        (0, Today(1_750_000, 1_750_000, 1000, 1_400_000), Agreed(1_750_000, 1_750_000)),  # fallen and expired
        (60, Today(3_000_000, 3_000_000, 1000, 2_375_000), Agreed(1_875_000, 1_875_000, 500_000)),  # a loss at the cap
        (60, Today(3_000_000, 3_000_000, 1000, 2_375_001), None),  # a micro beyond it
        (60, Today(2_000_000, 2_000, 1, 1_600_000), None),  # another rate unit
    ],
)
def test_agree_weighs_the_promise_against_today(ann, service, seconds_left, today, agreed):
    quote = quote_of(ann, service, expires_at=NOW + timedelta(seconds=seconds_left))

    assert agree(quote, today, now=NOW, max_loss_micros=500_000) == agreed


# --- Placing --------------------------------------------------------------------------------------------------------
def test_place_order_within_the_time_keeps_the_promised_price(place, ann, service):
    quote = signed(ann, service)
    rate_becomes(service, 1_600_000)

    order = place(quote=quote)

    assert (order.price_micros, order.rate_micros, order.accepted_loss_micros) == (1_875_000, 1_875_000, 0)
    assert (order.rate_upstream_micros, order.cost_upstream_micros) == (1_600_000, 1_600_000)
    assert Wallet.objects.get(user=ann).balance_micros == 100 * DOLLAR - 1_875_000


def test_place_order_at_a_loss_below_the_cap_remembers_the_loss(place, ann, service):
    quote = signed(ann, service)
    rate_becomes(service, 2_500_000)

    order = place(quote=quote)

    assert (order.price_micros, order.accepted_loss_micros) == (1_875_000, 625_000)


def test_place_order_at_a_loss_above_the_cap_offers_the_new_price(place, ann, service, settings):
    settings.PRICE_LOCK_MAX_LOSS = Decimal("0.62")
    quote = signed(ann, service)
    rate_becomes(service, 2_500_000)

    with pytest.raises(PriceChanged) as offer:
        place(quote=quote)

    assert (offer.value.rate_micros, offer.value.price_micros) == (3_125_000, 3_125_000)
    assert (Order.objects.count(), Wallet.objects.get(user=ann).balance_micros) == (0, 100 * DOLLAR)


def test_place_order_counts_the_loss_in_the_shops_currency(place, ann, service, settings):
    settings.UPSTREAM_CURRENCY, settings.UPSTREAM_EXCHANGE_RATE = "EUR", Decimal("1.5")
    quote = signed(ann, service)
    rate_becomes(service, 1_500_001)

    assert place(quote=quote).accepted_loss_micros == 375_002  # 2.2500015 rounded up, less 1.875


def test_place_order_with_an_expired_quote_at_the_same_price_is_taken(place, ann, service):
    assert place(quote=signed(ann, service, expires_at=expired())).price_micros == 1_875_000


def test_place_order_with_an_expired_quote_at_a_higher_price_offers_the_new_one(place, ann, service):
    rate_becomes(service, 1_600_000)

    with pytest.raises(PriceChanged) as offer:
        place(quote=signed(ann, service, expires_at=expired()))

    assert (offer.value.price_micros, Order.objects.count()) == (2_000_000, 0)


@pytest.mark.parametrize("when", [lambda: timezone.now() + timedelta(minutes=5), expired])
def test_place_order_at_a_price_that_fell_takes_the_lower_one(place, ann, service, when):
    rate_becomes(service, 1_400_000)

    order = place(quote=signed(ann, service, expires_at=when()))

    assert (order.price_micros, order.rate_micros, order.accepted_loss_micros) == (1_750_000, 1_750_000, 0)


def test_place_order_when_the_rate_unit_changed_since_offers_the_new_price(place, ann, service):
    quote = signed(ann, service, quantity=10, price_micros=18_800)
    rate_becomes(service, 1_500_000 // 50, rate_per_override=RateUnit.ONE)

    with pytest.raises(PriceChanged) as offer:
        place(quote=quote, quantity=10)

    assert offer.value.price_micros == 375_000  # a loss of 0.28, far below the cap


@pytest.mark.parametrize("forge", [lambda text: "rubbish", lambda text: text[:-1] + "x", lambda text: text.upper()])
def test_place_order_with_a_forged_quote_is_refused_with_words(place, ann, service, forge):
    with pytest.raises(QuoteRefused, match="was for a different order"):
        place(quote=forge(signed(ann, service)))

    assert Order.objects.count() == 0


def test_place_order_with_the_quote_of_another_customer_or_service_is_refused(place, ann, ben, service):
    for foreign in (signed(ben, service), signed(ann, service, service_id=service.pk + 1)):
        with pytest.raises(QuoteRefused):
            place(quote=foreign)

    assert Order.objects.count() == 0


@pytest.mark.parametrize("has_quote", [True, False])
def test_place_order_of_a_quantity_without_a_quote_shows_its_price_first(place, ann, service, has_quote):
    with pytest.raises(NotQuoted) as offer:
        place(quote=signed(ann, service) if has_quote else "", quantity=2000)

    assert (offer.value.quantity, offer.value.price_micros, Order.objects.count()) == (2000, 3_750_000, 0)


def test_place_order_twice_with_one_quote_is_two_orders_for_two_request_ids_and_one_for_one(place, ann, service):
    quote = signed(ann, service)

    first = place(quote=quote, request_id="1")

    assert place(quote=quote, request_id="2") != first
    assert place(quote=signed(ann, service, expires_at=expired()), request_id="1") == first
    assert Order.objects.count() == 2


def test_place_order_of_a_door_without_quotes_takes_todays_price(place, service):
    rate_becomes(service, 1_600_000)

    assert place().price_micros == 2_000_000


def test_place_order_keeps_how_it_was_priced(place, ann, service):
    rule = MarkupRule.objects.create(scope="all", percent=50)

    order = place()

    assert (order.pricing["rule"], order.pricing["percent"]) == (rule.pk, "50.00")


# --- What was accepted is no loss later -----------------------------------------------------------------------------
@pytest.fixture
def order_at_a_loss(place, ann, service, sandbox):
    """An order that costs 2.50 and was sold for the promised 1.875."""
    quote = signed(ann, service)
    rate_becomes(service, 2_500_000)
    sandbox.set_service(service.upstream_id, rate="2.50")
    return place(quote=quote)


@pytest.mark.django_db(transaction=True)
def test_forward_order_sold_at_an_accepted_loss_is_sent_and_its_service_goes_on(order_at_a_loss, client_upstream):
    assert forward_order(order_at_a_loss.pk, client=client_upstream, clock=timezone.now)
    poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(days=1)))

    order_at_a_loss.refresh_from_db()
    assert (order_at_a_loss.status, order_at_a_loss.held_because) == (Status.PENDING, "")
    assert order_at_a_loss.charge_upstream_micros == 2_500_000
    assert Service.objects.get(pk=order_at_a_loss.service_id).paused_because == ""


@pytest.mark.django_db(transaction=True)
def test_poll_of_a_charge_beyond_the_accepted_loss_pauses_the_service(order_at_a_loss, client_upstream, sandbox):
    assert forward_order(order_at_a_loss.pk, client=client_upstream, clock=timezone.now)
    order_at_a_loss.refresh_from_db()
    sandbox.set_order(order_at_a_loss.upstream_id, charge="2.52")

    poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(days=1)))

    paused = Service.objects.get(pk=order_at_a_loss.service_id).paused_because
    assert paused.startswith("Upstream charged more than the customer paid")


@pytest.mark.django_db(transaction=True)
def test_forward_order_when_its_cost_rose_beyond_the_accepted_loss_is_held(order_at_a_loss, client_upstream):
    rate_becomes(order_at_a_loss.service, 2_600_000)

    assert not forward_order(order_at_a_loss.pk, client=client_upstream, clock=timezone.now)

    order_at_a_loss.refresh_from_db()
    assert order_at_a_loss.held_because == HoldReason.LOSS


# --- The pages ------------------------------------------------------------------------------------------------------
@pytest.fixture
def address(service) -> str:
    return reverse("orders:place", args=[service.pk])


def send(shop, address, page, **typed):
    """Send the form of this page as it stands, with these values, as a browser without scripts does."""
    markup = page.content.decode()
    fields = {name: hidden(page, name) for name in ("request_id", "quote") if f'name="{name}"' in markup}
    return shop.post(address, {**fields, "quantity": "1000", "link": LINK, **typed})


def test_the_page_says_how_long_it_keeps_the_price(shop, address, settings):
    settings.PRICE_LOCK_SECONDS = 300

    page = shop.get(address, {"quantity": "1000"})

    assert "Price held for 5 minutes ." in page_words(page)
    assert re.search(r'<time role="timer" data-countdown="300">', page.content.decode())
    left = read_quote(hidden(page, "quote")).expires_at - timezone.now()
    assert timedelta(seconds=295) < left <= timedelta(seconds=300)


def test_the_page_without_a_quantity_promises_nothing(shop, address):
    page = shop.get(address)

    assert 'name="quote"' not in page.content.decode()
    assert "Price held for" not in page_words(page)


def test_a_visitor_gets_no_quote(client, address):
    page = client.get(address, {"quantity": "1000"})

    assert 'name="quote"' not in page.content.decode()
    assert "Total for 1,000 $1.875" in page_words(page)


def test_the_promised_price_of_the_page_is_paid_although_the_rate_rose(shop, address, service):
    page = shop.get(address, {"quantity": "1000"})
    rate_becomes(service, 1_600_000)

    send(shop, address, page)

    assert Order.objects.get().price_micros == 1_875_000


def test_a_quantity_typed_after_the_page_was_drawn_shows_its_price_first_and_then_buys(shop, address, ann):
    first = send(shop, address, shop.get(address), quantity="2000")

    assert (Order.objects.count(), Wallet.objects.get(user=ann).balance_micros) == (0, 100 * DOLLAR)
    assert "Price for 2,000: $3.75. Press the button again to order. Nothing has been charged yet." in page_words(first)
    assert (alerts(first), re.findall(r'aria-invalid="true"', first.content.decode())) == ("", [])
    assert hidden(first, "quote") != ""

    second = send(shop, address, first, quantity="2000")

    assert second.url == reverse("orders:detail", args=[Order.objects.get().pk])
    assert Order.objects.get().price_micros == 3_750_000


def test_a_forged_quote_is_refused_in_words_and_the_page_carries_a_good_one(shop, address):
    refused = send(shop, address, shop.get(address, {"quantity": "1000"}), quote="rubbish\x00")

    assert alerts(refused) == "That price was for a different order. Check the price and order again."
    assert Order.objects.count() == 0
    send(shop, address, refused)
    assert Order.objects.count() == 1


def test_a_price_beyond_the_cap_is_said_and_one_more_press_pays_it(shop, address, service):
    page = shop.get(address, {"quantity": "1000"})
    rate_becomes(service, 4_000_000)

    refused = send(shop, address, page)

    assert alerts(refused) == "The price has changed: it is now $5.00. Order again to accept it."
    assert Order.objects.count() == 0
    send(shop, address, refused)
    assert Order.objects.get().price_micros == 5_000_000


def test_a_mass_order_says_beside_the_line_what_it_cost_before_and_pays_a_lower_price(shop, service):
    mass, text = reverse("orders:mass"), f"{service.pk} | {LINK} | 1000"
    preview = shop.post(mass, {"text": text})
    rate_becomes(service, 1_600_000)

    def pay(page):
        kept = {name: hidden(page, name) for name in ("quoted_rates", "request_id")}
        return shop.post(mass, {"text": text, "pay": "all", **kept})

    risen = pay(preview)

    assert "The price has changed: $2.00 instead of $1.875" in page_words(risen)
    assert Order.objects.count() == 0
    rate_becomes(service, 1_400_000)
    pay(risen)
    assert Order.objects.get().price_micros == 1_750_000
