"""Numbers: bought one by one, followed to their code, refunded when none comes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from catalog.models import MarkupRule
from orders.fulfilment.forward import forward_order, give_up_waiting
from orders.fulfilment.poll import poll_due
from orders.models import ForwardingPause, Order, OrderEvent, Status, UpstreamBalance
from orders.placing.refusals import OrderRefused, PriceChanged
from sms.models import Number, Project
from tests.clock import stopped_at
from tests.orders.attention import Flag, flags_of, said_of
from upstream.client import Client
from wallet.models import Wallet
from wallet.operations import InsufficientFunds

pytestmark = pytest.mark.sqlite

State = Number.State
PRICE = 625_000  # 0.50 and the markup of 25 %


@pytest.fixture
def poll(client_upstream):
    def poll_all(**later) -> int:
        return poll_due(
            kind="number", client=client_upstream, clock=stopped_at(timezone.now() + timedelta(minutes=1, **later))
        )

    return poll_all


def balance(user) -> int:
    return Wallet.objects.get(user=user).balance_micros


def test_buy_numbers_takes_the_price_of_each_and_makes_an_order_of_each(buy, ann):
    orders = buy(quantity=3)

    assert [(order.kind, order.status, order.price_micros) for order in orders] == [("number", "paid", PRICE)] * 3
    assert balance(ann) == 100_000_000 - 3 * PRICE
    assert Number.objects.filter(order__in=orders, state=State.ORDERED).count() == 3


def test_buy_numbers_keeps_how_the_price_came_about(buy):
    MarkupRule.objects.create(scope="all", percent=30, rounding="0.50")

    [order] = buy()

    assert order.price_micros == 1_000_000
    kept = Order.objects.get(pk=order.pk).pricing
    assert (kept["percent"], kept["rounding"], kept["rate_micros"]) == ("30.00", "0.50", 1_000_000)
    assert (kept["rate_upstream_micros"], kept["rate_per"], kept["rate_override_micros"]) == (500_000, 1, None)


@pytest.mark.parametrize("quantity", [0, 11, -1])
def test_buy_numbers_outside_one_to_ten_is_refused(buy, quantity, ann):
    with pytest.raises(OrderRefused, match="between 1 and 10") as refusal:
        buy(quantity=quantity)

    assert (refusal.value.field, balance(ann), Order.objects.count()) == ("quantity", 100_000_000, 0)


def test_buy_numbers_without_money_for_all_of_them_takes_nothing(buy, ann):
    Wallet.objects.filter(user=ann).update(balance_micros=PRICE + 5)

    with pytest.raises(InsufficientFunds):
        buy(quantity=2)

    assert (balance(ann), Order.objects.count(), Number.objects.count()) == (PRICE + 5, 0, 0)


def test_buy_numbers_again_with_the_same_request_id_buys_nothing_twice(buy, ann):
    assert buy(quantity=2, request_id="button") == buy(quantity=2, request_id="button")

    assert balance(ann) == 100_000_000 - 2 * PRICE


def test_buy_numbers_at_a_price_that_changed_offers_the_new_one(buy, project):
    Project.objects.update(price_upstream_micros=1_000_000)

    with pytest.raises(PriceChanged) as offer:
        buy(shown_price_micros=PRICE)

    assert offer.value.rate_micros == 1_250_000


def test_buy_numbers_while_forwarding_is_paused_is_refused_at_once(buy):
    ForwardingPause.objects.create(reason="balance")

    with pytest.raises(OrderRefused, match="can't be bought right now"):
        buy()


def test_buy_numbers_to_reuse_one_that_was_never_ours_is_refused(buy, ben, waiting_number):
    phone = waiting_number.number.phone

    with pytest.raises(OrderRefused, match="haven't had this number"):
        buy(user=ben, reuse_phone=phone)

    assert buy(reuse_phone=phone)[0].number.reuse_phone == phone


def test_a_number_that_was_given_shows_its_phone(waiting_number, sandbox):
    number = waiting_number.number

    assert (number.state, number.phone) == (State.WAITING, sandbox.orders[0]["phone"])


def test_a_code_that_arrives_is_kept_with_its_message(waiting_number, poll, sandbox, ann):
    poll()
    sandbox.deliver_code(waiting_number.upstream_id, "482913", "Your code is 482913")

    poll(seconds=5)

    waiting_number.refresh_from_db()
    number = waiting_number.number
    assert (number.state, number.code, number.content) == (State.RECEIVED, "482913", "Your code is 482913")
    assert (waiting_number.status, waiting_number.charge_upstream_micros) == (Status.COMPLETED, 500_000)
    assert balance(ann) == 100_000_000 - PRICE
    assert waiting_number.upstream_payload == {}


def test_a_number_learns_when_it_expires(waiting_number, poll):
    poll()

    assert waiting_number.number.__class__.objects.get().expires_at > timezone.now()


@pytest.mark.parametrize(("word", "state"), [("expired", State.EXPIRED), ("Cancelled by system", State.CANCELED)])
def test_a_number_that_ends_without_a_code_is_refunded(waiting_number, poll, sandbox, ann, word, state):
    sandbox.set_number(waiting_number.upstream_id, status=word)

    poll()

    waiting_number.refresh_from_db()
    assert (waiting_number.status, Number.objects.get().state) == (Status.CANCELED, state)
    assert balance(ann) == 100_000_000


def test_a_number_past_its_expiry_and_grace_is_refunded_whatever_upstream_says(waiting_number, poll, ann):
    poll()
    poll(days=2)

    waiting_number.refresh_from_db()
    assert (waiting_number.status, Number.objects.get().state, balance(ann)) == (
        Status.CANCELED,
        State.EXPIRED,
        100_000_000,
    )
    assert waiting_number.events.get(code=OrderEvent.Code.REFUNDED).data["why"] == "expired"


def test_a_code_found_at_the_last_poll_wins_over_expiry(waiting_number, poll, sandbox, ann):
    poll()
    sandbox.deliver_code(waiting_number.upstream_id, "111222", "late 111222")

    poll(days=2)

    waiting_number.refresh_from_db()
    assert (waiting_number.status, balance(ann)) == (Status.COMPLETED, 100_000_000 - PRICE)


@pytest.mark.parametrize("fault", ["lose_reply", "lose_request", "500_after"])
def test_a_number_whose_answer_is_lost_is_refunded_at_once_and_never_resent(buy, client_upstream, sandbox, ann, fault):
    [order] = buy()
    sandbox.fail_next(fault, action="add_sms")

    forward_order(order.pk, client=client_upstream, clock=timezone.now)
    assert not forward_order(order.pk, client=client_upstream, clock=timezone.now)

    order.refresh_from_db()
    assert (order.status, balance(ann)) == (Status.FAILED, 100_000_000)
    assert flags_of(order) == [Flag.PERHAPS_PLACED]
    assert Number.objects.get().state == State.CANCELED


def test_a_number_that_is_sold_out_is_refunded_at_once(buy, client_upstream, sandbox, ann):
    [order] = buy()
    sandbox.fail_next("refuse", action="add_sms", text="No numbers available")

    forward_order(order.pk, client=client_upstream, clock=timezone.now)

    order.refresh_from_db()
    assert (order.status, flags_of(order), balance(ann)) == (Status.FAILED, [], 100_000_000)


def test_a_number_without_upstream_money_is_refunded_and_forwarding_pauses(buy, client_upstream, sandbox, ann):
    [order] = buy()
    sandbox.set_balance("0.10")

    forward_order(order.pk, client=client_upstream, clock=timezone.now)

    order.refresh_from_db()
    assert (order.status, balance(ann)) == (Status.FAILED, 100_000_000)
    assert ForwardingPause.objects.get().reason == "balance"


def test_a_number_that_nobody_could_send_in_time_is_refunded(buy, ann):
    [order] = buy()

    assert give_up_waiting(now=timezone.now()) == 0
    assert give_up_waiting(now=timezone.now() + timedelta(seconds=31)) == 1

    order.refresh_from_db()
    assert (order.status, balance(ann)) == (Status.FAILED, 100_000_000)


def test_a_number_is_tried_again_for_half_a_minute_while_upstream_cannot_be_reached(buy, client_upstream, ann):
    from orders.fulfilment.pauses import ensure_opening_balance

    ensure_opening_balance(client=client_upstream)
    [order] = buy()
    nobody_there = Client("http://127.0.0.1:9/api/v2", "key", 5)

    forward_order(order.pk, client=nobody_there, clock=timezone.now)
    order.refresh_from_db()
    assert order.status == Status.PAID
    later = timezone.now() + timedelta(seconds=31)
    forward_order(order.pk, client=nobody_there, clock=stopped_at(later))

    order.refresh_from_db()
    assert (order.status, balance(ann)) == (Status.FAILED, 100_000_000)


def test_a_word_for_a_number_that_we_do_not_know_changes_nothing_and_is_flagged(waiting_number, poll, sandbox):
    sandbox.set_number(waiting_number.upstream_id, status="on_hold")

    poll()

    waiting_number.refresh_from_db()
    assert waiting_number.status == Status.PENDING
    assert said_of(waiting_number) == "Unknown upstream status word: on_hold"


def test_buy_numbers_when_the_upstream_money_is_spoken_for_is_refused_at_once(buy, ann):
    UpstreamBalance.objects.create(amount_upstream_micros=1_000_000)
    buy()

    with pytest.raises(OrderRefused, match="can't be bought right now"):
        buy(quantity=2)

    assert balance(ann) == 100_000_000 - PRICE
    assert buy()[0].status == Status.PAID


def test_a_number_that_would_be_sold_at_a_loss_is_refunded_instead_of_bought(buy, client_upstream, sandbox, ann):
    [order] = buy()
    Project.objects.update(price_upstream_micros=700_000)

    assert not forward_order(order.pk, client=client_upstream, clock=timezone.now)

    order.refresh_from_db()
    assert (order.status, order.held_because, balance(ann)) == (Status.FAILED, "", 100_000_000)
    assert order.number.state == State.CANCELED
    assert sandbox.orders == []
