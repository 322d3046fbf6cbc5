"""Orders in the states that tests begin with."""

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from catalog.models import Delivery, Service
from orders.attempts.windows import newest_upstream_id
from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.lifecycle.goods import reveal
from orders.lifecycle.goods_claims import claim_lines
from orders.models import DeliveredGoods, GoodsClaim, Order, Status
from orders.placing.place import place_order
from support.models import FirstAnswerRule
from tests.clock import stopped_at
from tests.conftest import PASSWORD, customer
from wallet.models import LedgerEntry
from wallet.operations import wallet_of


@pytest.fixture
def place(ann: User, service: Service) -> Callable[..., Order]:
    """Place an order of Ann's: `place(quantity=…, link=…, …)`; 1,000 followers for 1.875 unless told otherwise."""

    def place_one(**asked: Any) -> Order:
        shown = asked.pop("service", service)
        values = {
            "user": ann,
            "service": Service.objects.select_related("category").get(pk=shown.pk),  # as pages and API read it
            "quantity": 1000,
            "link": "https://instagram.com/ann",
            "request_id": str(uuid.uuid4()),
        }
        return place_order(**{**values, "now": timezone.now(), **asked})

    return place_one


@pytest.fixture
def paid_order(place: Callable[..., Order]) -> Order:
    """An order that is paid and has not been sent."""
    return place()


@pytest.fixture
def sent_order(paid_order: Order, client_upstream: Any) -> Order:
    """An order that upstream has accepted."""
    assert forward_order(paid_order.pk, client=client_upstream, clock=timezone.now)
    paid_order.refresh_from_db()
    return paid_order


@pytest.fixture
def shop(client: Client, ann: User) -> Client:
    """The browser of Ann, who is signed in."""
    client.force_login(ann)
    return client


@pytest.fixture
def refillable(service):
    """The service, whose orders can be refilled and canceled."""
    Service.objects.filter(pk=service.pk).update(refill=True, cancel=True)
    service.refresh_from_db()
    return service


@pytest.fixture
def working(paid_order, refillable):
    """An order of Ann's that upstream is working on."""
    Order.objects.filter(pk=paid_order.pk).update(status=Status.IN_PROGRESS, upstream_id="77")
    paid_order.refresh_from_db()
    return paid_order


@pytest.fixture
def finished(working):
    Order.objects.filter(pk=working.pk).update(status=Status.COMPLETED)
    working.refresh_from_db()
    return working


@pytest.fixture
def kim(db):
    """A customer whose wallet is half a dollar full."""
    return customer("kim@example.com", money="0.50")


@pytest.fixture
def send(place, client_upstream, sandbox):
    """Place and forward an order `minutes` from now, after whatever `fault` does to its answer."""

    def send_one(*, minutes: float = 0, fault: str = "", **asked: Any) -> Order:
        if fault:
            sandbox.fail_next(fault, action="add")
        at = timezone.now() + timedelta(minutes=minutes)
        order = place(**asked)
        assert forward_order(order.pk, client=client_upstream, clock=stopped_at(at))
        order.refresh_from_db()
        return order

    return send_one


@pytest.fixture
def lose(send, sandbox):
    """Send an order whose answer is lost; placed upstream or not."""

    def lose_one(*, placed: bool, **asked) -> Order:
        sandbox.fail_next("lose_reply" if placed else "lose_request", action="add")
        order = send(**asked)
        assert order.status == Status.UNKNOWN
        return order

    return lose_one


@pytest.fixture
def placed_and_not_recorded(place, client_upstream, service):
    """An order that upstream has just placed, and whose worker has not written that down yet."""

    def place_one() -> Order:
        order, now = place(), timezone.now()
        Order.objects.filter(pk=order.pk).update(
            status=Status.SENDING,
            claim_token=uuid.uuid4(),
            claim_deadline=now + timedelta(minutes=1),
            sent_at=now,
            last_upstream_id_before=newest_upstream_id("service"),
        )
        client_upstream.add(service_id=service.upstream_id, link=order.link, quantity=order.quantity)
        return order

    return place_one


@pytest.fixture
def no_first_answers(db: None) -> Iterator[None]:
    """No rule answers a question or a request: all of them wait for a human."""
    active = list(FirstAnswerRule.objects.filter(active=True).values_list("pk", flat=True))
    FirstAnswerRule.objects.update(active=False)
    yield
    # A test that commits leaves the rules to the next one.
    FirstAnswerRule.objects.filter(pk__in=active).update(active=True)


@pytest.fixture
def goods_service(service: Service, sandbox: Any) -> Service:
    """A service of goods that come with the order's status: one piece costs 1.50 and is sold for 1.875."""
    row = {"name": "Aged", "type": "Default", "category": "Instagram", "rate": "1.50", "min": 1, "max": 5000}
    sandbox.add_service(service=900_003, kind="product", rate_per=1, **row)
    Service.objects.filter(pk=service.pk).update(
        upstream_id=900_003, min_quantity=1, rate_per_override=1, delivery_override=Delivery.VAULT
    )
    return Service.objects.select_related("category").get(pk=service.pk)


@pytest.fixture
def poll(client_upstream: Any) -> Callable[..., int]:
    """Poll everything, as if all were due: `poll(days=…)` that much later."""

    def poll_all(**later: Any) -> int:
        now = timezone.now() + timedelta(days=3) + timedelta(**later)
        return poll_due(kind="service", client=client_upstream, clock=stopped_at(now))

    return poll_all


@pytest.fixture
def bought(place: Callable[..., Order], goods_service: Service, client_upstream: Any, sandbox: Any, poll: Any) -> Order:
    """An order of Ann's for ten pieces at 18.75, completed and opened by her."""
    order = place(quantity=10, service=goods_service, link="")
    assert forward_order(order.pk, client=client_upstream, clock=timezone.now)
    order.refresh_from_db()
    accounts = [f"user{number}@example.com:secret-{number}" for number in range(10)]
    sandbox.set_order(order.upstream_id, status="Completed", remains=0, accounts=accounts)
    poll()
    # As if it had come a moment ago.
    now = timezone.now()
    DeliveredGoods.objects.filter(order=order).update(arrivals=[[10, now.isoformat()]], received_at=now)
    reveal(order, order.user, None)
    return Order.objects.select_related("user", "service__category", "goods").get(pk=order.pk)


@pytest.fixture
def claim(bought: Order) -> Callable[..., list[GoodsClaim]]:
    """Report lines of that order as Ann: `claim(1, 2)`."""

    def claim_some(*lines: int, order: Order = bought, **values: Any) -> list[GoodsClaim]:
        said = {"reason": "sign_in", "text": "", "now": timezone.now(), **values}
        return claim_lines(order.pk, user=order.user, lines=lines, **said)

    return claim_some


@pytest.fixture
def buyer(db: None) -> User:
    """A customer without a ledger."""
    return User.objects.create_user("eve@example.com", PASSWORD)


@pytest.fixture
def book(buyer: User) -> Callable[..., LedgerEntry]:
    """Write a ledger row of a moment: `book(kind, micros, at, reference)`, of Eve's unless `user` says whose."""

    def write(kind: str, micros: int, at: datetime, reference: str = "", user: User = buyer) -> LedgerEntry:
        reference = reference or f"{kind}:{LedgerEntry.objects.count()}"
        return LedgerEntry.objects.create(
            wallet=wallet_of(user), kind=kind, amount_micros=micros, reference=reference, created_at=at
        )

    return write
