"""Goods in the vault: what goes upstream, what proves that it works, and who is told when it does not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import Category, Delivery, Service
from notifications.models import Notice
from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.lifecycle.attention import attention_of, clear_attention
from orders.lifecycle.goods import reveal
from orders.models import Order, Status
from orders.placing.place import place_order
from orders.reconciliation.reconcile import reconcile_orders
from tests.clock import stopped_at
from tests.orders.attention import Flag, attempt_of, flags_of
from upstream.sandbox.api import ACCOUNT_EMAIL

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
GOODS = ["rosa@example.com:pass", "ida@example.com:pass"]


@pytest.fixture
def vault(service, sandbox):
    """The service sells goods, and nothing of the customer goes upstream."""
    row = {"name": "Aged", "type": "Default", "category": "Instagram", "rate": "1.50", "min": 1, "max": 5000}
    sandbox.add_service(service=900_003, kind="product", rate_per=1000, **row)
    Service.objects.filter(pk=service.pk).update(upstream_id=900_003, min_quantity=1)
    Category.objects.filter(pk=service.category_id).update(delivery=Delivery.VAULT)
    return Service.objects.select_related("category").get(pk=service.pk)


@pytest.fixture
def buy(vault, ann, client_upstream):
    """Ann buys two pieces, and they are sent for."""

    def buy(request_id: str = "a") -> Order:
        order = place_order(
            user=ann, service=vault, quantity=2, link="ann@home.example", request_id=request_id, now=timezone.now()
        )
        assert forward_order(order.pk, client=client_upstream, clock=timezone.now)
        return fresh(order)

    return buy


@pytest.fixture
def poll(client_upstream):
    def poll_all(days: int) -> None:
        poll_due(kind="service", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(days=days)))

    return poll_all


def fresh(order: Order) -> Order:
    return Order.objects.get(pk=order.pk)


def proved_at(service: Service):
    return Category.objects.get(pk=service.category_id).vault_proved_at


def test_forward_order_of_goods_in_the_vault_sends_an_empty_link(buy, sandbox):
    order = buy()

    [request] = [request for request in sandbox.requests if request["action"] == "add"]
    assert request["params"]["link"] == ""
    assert "home.example" not in str(sandbox.requests)
    [placed] = sandbox.orders
    assert (order.status, order.link, placed["link"]) == (Status.PENDING, "", ACCOUNT_EMAIL)


def test_forward_order_when_the_category_was_changed_after_the_sale_sends_what_was_promised(
    service, place, client_upstream, sandbox
):
    """Who gave an address is waiting for a mail, whatever the category says now."""
    Category.objects.update(delivery=Delivery.EMAIL)
    service.category.refresh_from_db()
    order = place(link="ann@home.example")
    Category.objects.update(delivery=Delivery.VAULT)

    sandbox.set_service(service.upstream_id, kind="product")
    forward_order(order.pk, client=client_upstream, clock=timezone.now)

    assert sandbox.orders[0]["link"] == "ann@home.example"


def test_poll_when_goods_have_come_with_a_completed_order_proves_that_the_vault_works(buy, poll, sandbox, vault, ann):
    order = buy()
    sandbox.set_order(order.upstream_id, status="Completed", remains=0, accounts=GOODS)

    poll(1)

    assert proved_at(vault) is not None
    assert (fresh(order).status, reveal(fresh(order), ann, None), flags_of(order)) == (Status.COMPLETED, GOODS, [])


def test_poll_when_goods_came_while_the_order_was_under_way_proves_it_at_its_end(buy, poll, sandbox, vault):
    order = buy()
    sandbox.set_order(order.upstream_id, status="In progress", accounts=GOODS)
    poll(1)
    assert proved_at(vault) is None

    sandbox.set_order(order.upstream_id, status="Completed", remains=0)
    poll(2)

    assert proved_at(vault) is not None
    assert flags_of(order) == []


def test_poll_when_another_order_follows_keeps_the_first_proof(buy, poll, sandbox, vault):
    first = buy()
    sandbox.set_order(first.upstream_id, status="Completed", remains=0, accounts=GOODS)
    poll(1)
    proof = proved_at(vault)
    second = buy("b")
    sandbox.set_order(second.upstream_id, status="Completed", remains=0, accounts=GOODS)

    poll(2)

    assert (fresh(second).status, proved_at(vault)) == (Status.COMPLETED, proof)


@pytest.mark.parametrize(("word", "remains"), [("Completed", 0), ("Partial", 1)])
def test_poll_when_a_vault_order_ends_without_goods_a_human_is_told_which_category(
    buy, poll, sandbox, vault, word, remains
):
    order = buy()
    sandbox.set_order(order.upstream_id, status=word, remains=remains, accounts=[])

    poll(1)
    poll(2)
    poll(4)

    assert (flags_of(order), proved_at(vault)) == ([Flag.NO_GOODS], None)
    assert "Instagram" in attention_of(fresh(order))
    [told] = Notice.objects.filter(key__startswith="flag:")
    assert "“Instagram”" in told.body


def test_poll_when_the_goods_come_late_needs_no_human_any_more(buy, poll, sandbox, vault, ann):
    order = buy()
    sandbox.set_order(order.upstream_id, status="Completed", remains=0, accounts=[])
    poll(1)
    assert flags_of(order) == [Flag.NO_GOODS]

    sandbox.set_order(order.upstream_id, accounts=GOODS)
    poll(2)

    assert (flags_of(order), reveal(fresh(order), ann, None)) == ([], GOODS)
    assert proved_at(vault) is not None


def test_poll_when_staff_has_looked_does_not_call_them_again(buy, poll, sandbox, sam):
    order = buy()
    sandbox.set_order(order.upstream_id, status="Completed", remains=0, accounts=[])
    poll(1)
    clear_attention(order.pk, actor=sam, now=timezone.now())

    poll(2)

    assert flags_of(order) == []


@pytest.mark.parametrize("word", ["Canceled", "In progress", "Pending"])
def test_poll_when_a_vault_order_has_not_been_delivered_says_nothing_of_goods(buy, poll, sandbox, word):
    order = buy()
    sandbox.set_order(order.upstream_id, status=word, remains=2, charge="0.00", accounts=[])

    poll(1)

    assert Flag.NO_GOODS not in flags_of(order)


def test_poll_when_a_link_order_completes_without_goods_is_as_it_should_be(sent_order, poll, sandbox):
    sandbox.set_order(sent_order.upstream_id, status="Completed", remains=0)

    poll(1)

    assert flags_of(sent_order) == []


def test_reconcile_when_the_answer_to_a_vault_order_was_lost_finds_it(buy, vault, ann, client_upstream, sandbox):
    buy()
    sandbox.fail_next("lose_reply", action="add")
    lost = place_order(user=ann, service=vault, quantity=3, link="", request_id="lost", now=timezone.now())
    forward_order(lost.pk, client=client_upstream, clock=timezone.now)
    assert fresh(lost).status == Status.UNKNOWN
    later = timezone.now() + timedelta(minutes=11)
    closer = place_order(user=ann, service=vault, quantity=4, link="", request_id="closer", now=later)
    assert forward_order(closer.pk, client=client_upstream, clock=stopped_at(later))

    assert reconcile_orders(client=client_upstream, now=later) == 1

    assert (fresh(lost).status, fresh(lost).upstream_id) == (Status.PENDING, str(sandbox.orders[1]["id"]))
    assert (attempt_of(lost).state, [order["link"] for order in sandbox.orders]) == ("adopted", [ACCOUNT_EMAIL] * 3)
