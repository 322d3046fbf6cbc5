"""A link on the deny list is ordered for through no door, the customer learns of no list, and each try is counted."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.keys.api_keys import create_api_key
from accounts.models import DenyHit, DenyRule, User
from catalog.models import Service
from orders.models import Order, PendingCheckout
from orders.placing.denied_links import LinkDenied
from orders.placing.mass import LinesRefused, MassLine, place_orders
from orders.placing.pay_first import close_pending_of, pay_and_order
from orders.placing.place import place_order
from orders.placing.refusals import AccountBlocked
from tests.accounts.denying import deny
from tests.orders.placing.paying_first import form_of, fresh
from tests.orders.quoting import signed
from tests.pages import page_words
from tests.wallet.paying import demo_says
from wallet.gateways import State
from wallet.models import TopUp
from wallet.operations import balance_of

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
LINK = "https://www.instagram.com/Ann/reel/1"
WORDS = "We can't take orders for this link."


@pytest.fixture
def rule(db: None) -> DenyRule:
    return deny("link", "instagram.com/ann")


def order(user: User, service: Service, link: str = LINK, **asked: Any) -> Order:
    values = {"request_id": str(uuid.uuid4()), "quantity": 1000, "now": timezone.now(), **asked}
    return place_order(user=user, service=fresh(service), link=link, **values)


def hits() -> list[tuple[str, str, str]]:
    return [(hit.place, hit.user.email if hit.user else "", hit.seen) for hit in DenyHit.objects.order_by("pk")]


def test_an_order_is_refused_counted_and_costs_nothing(ann: User, service: Service, rule: DenyRule) -> None:
    before = balance_of(ann)

    with pytest.raises(LinkDenied, match=WORDS) as refusal:
        order(ann, service)

    assert refusal.value.field == "link"
    assert not Order.objects.exists()
    assert balance_of(ann) == before
    assert hits() == [("order", ann.email, LINK)]
    rule.refresh_from_db()
    assert (rule.hits, rule.last_hit_at is not None) == (1, True)
    assert order(ann, service, link="https://instagram.com/anna").pk


def test_what_was_bought_before_the_entry_stands_when_it_is_asked_for_again(ann: User, service: Service) -> None:
    first = order(ann, service, request_id="once")
    deny("link", "instagram.com/ann")

    assert order(ann, service, request_id="once") == first
    assert not DenyHit.objects.exists()


def test_of_many_lines_that_one_is_named_and_none_is_placed(ann: User, service: Service, rule: DenyRule) -> None:
    lines = [MassLine(service.pk, link, 1000) for link in ("https://instagram.com/ben", LINK)]

    with pytest.raises(LinesRefused) as refusal:
        place_orders(user=ann, lines=lines, request_id="many", now=timezone.now())

    assert list(refusal.value.problems) == [1]
    assert refusal.value.problems[1].startswith(WORDS)
    assert not Order.objects.exists()
    assert hits() == [("order", ann.email, LINK)]


def test_the_api_says_it_in_the_words_of_the_trade(ann: User, service: Service, rule: DenyRule) -> None:
    _row, key = create_api_key(user=ann, name="one")
    params = {"key": key, "action": "add", "service": service.pk, "link": LINK, "quantity": 1000}

    answer = Client().post("/api/v2", params).json()

    assert answer == {"error": "Invalid link"}
    assert hits() == [("order", ann.email, LINK)]


def test_the_page_says_it_beside_the_field(ann: User, service: Service, rule: DenyRule, client: Client) -> None:
    client.force_login(ann)
    page = reverse("orders:place", args=[service.pk])
    quote = signed(ann, service, quantity=1000)

    answer = client.post(page, {"quantity": 1000, "link": LINK, "request_id": str(uuid.uuid4()), "quote": quote})

    assert WORDS in page_words(answer)
    assert "deny" not in page_words(answer).lower()
    assert hits() == [("order", ann.email, LINK)]


def test_no_payment_begins_for_it(kim: User, service: Service, rule: DenyRule, settings: Any) -> None:
    settings.DEBUG = True
    asked = form_of(kim, service) | {"link": LINK}

    with pytest.raises(LinkDenied):
        pay_and_order(**asked)

    assert not TopUp.objects.exists()
    assert hits() == [("order", kim.email, LINK)]


def test_what_was_paid_for_before_the_entry_lands_in_the_wallet(kim: User, service: Service, settings: Any) -> None:
    settings.DEBUG = True
    pending = pay_and_order(**form_of(kim, service) | {"link": LINK})
    assert pending is not None
    deny("link", "instagram.com/ann")

    demo_says(pending.top_up, State.PAID)
    closed = close_pending_of(pending.top_up, now=timezone.now())

    assert closed is not None
    assert (closed.state, closed.reason.startswith(WORDS)) == (PendingCheckout.State.DROPPED, True)
    assert balance_of(kim) > 500_000
    assert hits() == [("order", kim.email, LINK)]


def test_what_a_blocked_customer_paid_for_lands_in_the_wallet(kim: User, service: Service, settings: Any) -> None:
    settings.DEBUG = True
    pending = pay_and_order(**form_of(kim, service) | {"link": LINK})
    assert pending is not None
    User.objects.filter(pk=kim.pk).update(is_active=False)

    demo_says(pending.top_up, State.PAID)
    closed = close_pending_of(pending.top_up, now=timezone.now())

    assert closed is not None
    assert (closed.state, closed.reason) == (PendingCheckout.State.DROPPED, str(AccountBlocked()))
    assert balance_of(kim) > 500_000


def test_an_order_asks_nothing_more_for_the_lists(
    ann: User, service: Service, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as asked:
            order(ann, service, link="https://instagram.com/ben")
        return len(asked)

    statements()
    without = statements()
    with django_capture_on_commit_callbacks(execute=True):
        deny("link", "instagram.com/ann")
    order(ann, service, link="https://instagram.com/ben")

    assert statements() == without
    assert cache.get("deny_list_version") is not None
