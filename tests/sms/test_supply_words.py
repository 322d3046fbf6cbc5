"""What upstream says of a number and does not mean: words inside words, times in the past, numbers nobody asked for."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from orders.attempts.assumptions import probe_foreign_ids
from orders.attempts.windows import known_ids
from orders.fulfilment.follow_losses import follow_losses
from orders.fulfilment.forward import forward_order
from orders.models import LostAttempt, Order, OrderEvent, Status, UpstreamAssumption, UpstreamEntry
from sms.formats.status_words import CANCELED_WORDS, ENDING_WORDS, RECEIVED_WORDS, says
from sms.models import Number
from tests.clock import stopped_at
from tests.orders.attention import Flag, flags_of
from tests.upstream.raw_server import RawServer, answer, client_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    "word",
    ["canceled", "CANCELLED", "expired", "refunded", "STATUS_CANCEL", "Order canceled.", "canceled_by_user", "cancel"],
)
def test_a_word_that_ends_a_number_is_known_in_every_dress(word):
    assert says(word, ENDING_WORDS)


@pytest.mark.parametrize(
    "word",
    ["not_expired", "cancel_available", "unexpired", "can be canceled", "refund pending", "expires_soon", "", "active"],
)
def test_a_word_that_only_holds_an_ending_one_ends_nothing(word):
    assert not says(word, ENDING_WORDS)
    assert not says(word, CANCELED_WORDS)


def test_a_word_that_only_holds_received_is_no_code():
    assert says("code_received", RECEIVED_WORDS)
    assert not says("not received", RECEIVED_WORDS)
    assert not says("incompleted", RECEIVED_WORDS)


@pytest.mark.parametrize("word", ["not_expired", "cancel_available"])
def test_poll_of_a_number_with_such_a_word_goes_on_waiting_for_its_code(waiting_number, sandbox, poll, word):
    sandbox.set_number(waiting_number.upstream_id, status=word)
    poll(seconds=5)
    waiting_number.refresh_from_db()
    assert (waiting_number.status, waiting_number.refunded_micros) == (Status.PENDING, 0)

    sandbox.deliver_code(waiting_number.upstream_id, "123456", "Your code is 123456")
    poll(minutes=3)

    waiting_number.refresh_from_db()
    assert waiting_number.status == Status.COMPLETED


@pytest.mark.parametrize(
    ("status", "code"),
    [("awaiting code", "Please wait 5 minutes"), ("not_received", "000000"), ("sent", "000000"), ("", "00")],
)
def test_what_stands_in_place_of_a_code_that_has_not_come_ends_nothing(waiting_number, sandbox, poll, status, code):
    said = json.dumps({"status": status, "code": code, "charge": "0.5", "currency": "USD"})
    for action in ("sms_status", "sms_code"):
        sandbox.fail_next("garbage", action=action, text=said)
    poll(seconds=5)

    assert Order.objects.get().status == Status.PENDING


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("canceled", "TIMEOUT"),
        ("canceled", "REFUNDED"),
        ("canceled", "ABCDEF"),
        ("expired", "NO_CODE_0"),
        ("expired", "77"),
    ],
)
def test_what_stands_beside_the_end_of_a_number_is_no_code(waiting_number, sandbox, poll, ann, status, code):
    said = json.dumps({"status": status, "code": code, "charge": "0", "currency": "USD"})
    for action in ("sms_status", "sms_code"):
        sandbox.fail_next("garbage", action=action, text=said)
    poll(seconds=5)

    order = Order.objects.get()
    assert (order.status, order.refunded_micros) == (Status.CANCELED, order.price_micros)


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("Code received, not confirmed", "482913"),
        ("no_error", "482913"),
        ("expired", "482913"),
        ("success", "0000"),
        ("received", "ABC-DEF"),
    ],
)
def test_a_code_is_delivered_whatever_else_the_status_says(waiting_number, sandbox, poll, status, code):
    said = json.dumps({"status": status, "code": code, "charge": "0.5", "currency": "USD"})
    for action in ("sms_status", "sms_code"):
        sandbox.fail_next("garbage", action=action, text=said)
    poll(seconds=5)

    assert (Order.objects.get().status, Number.objects.get().code) == (Status.COMPLETED, code)


def test_a_code_of_zeros_is_one_where_the_status_says_that_it_came(waiting_number, sandbox, poll):
    sandbox.deliver_code(waiting_number.upstream_id, "000000", "Your code is 000000")
    poll(seconds=5)

    assert (Order.objects.get().status, Number.objects.get().code) == (Status.COMPLETED, "000000")


@pytest.mark.parametrize(
    "told",
    [
        lambda: (timezone.now() + timedelta(minutes=20) - timedelta(hours=5)).replace(tzinfo=None).isoformat(),
        lambda: (timezone.now() - timedelta(minutes=10)).isoformat(),
        lambda: "2023-01-01T12:00:00.000Z",
    ],
    ids=["naive local time", "clock behind", "the document's example"],
)
def test_a_number_whose_expiry_lies_before_its_purchase_still_gets_its_code(waiting_number, sandbox, poll, told):
    sandbox.set_number(waiting_number.upstream_id, expires_at=told())
    poll(seconds=5)
    assert Number.objects.get().expires_at is None
    sandbox.deliver_code(waiting_number.upstream_id, "123456", "Your code is 123456")

    for seconds in (10, 20, 60):
        poll(seconds=seconds)

    assert (Order.objects.get().status, Number.objects.get().code) == (Status.COMPLETED, "123456")


def test_a_number_whose_expiry_lies_years_ahead_is_refunded_in_its_own_time(waiting_number, sandbox, poll):
    sandbox.set_number(waiting_number.upstream_id, expires_at="2090-01-01T00:00:00Z")

    poll(hours=1)

    assert Order.objects.get().status == Status.CANCELED


def test_an_expiry_in_the_past_that_was_kept_before_counts_no_more_either(waiting_number, sandbox, poll):
    sandbox.set_number(waiting_number.upstream_id, expires_at="2023-01-01T12:00:00.000Z")
    Number.objects.update(expires_at=timezone.now() - timedelta(days=900))

    poll(seconds=5)

    assert Order.objects.get().status == Status.PENDING


def test_a_message_of_a_number_that_is_refunded_is_not_shown(waiting_number, sandbox, poll):
    sandbox.set_number(waiting_number.upstream_id, sms_content="Use 445566 to sign in", phone="")
    poll(seconds=5)
    assert Number.objects.get().content == ""

    poll(hours=2)

    order, number = Order.objects.get(), Number.objects.get()
    assert (order.refunded_micros, number.content, number.code) == (order.price_micros, "", "")


def test_a_number_canceled_with_its_charge_kept_is_booked(waiting_number, sandbox, poll):
    sandbox.set_number(waiting_number.upstream_id, status="canceled", charge="0.50")

    poll(seconds=5)

    assert waiting_number.events.get(code=OrderEvent.Code.LOSS).evidence["charge"] == 500_000


# --- More numbers than were asked for ---------------------------------------------------------------------------------
def test_an_answer_with_more_numbers_than_asked_follows_the_first_and_books_the_others(buy):
    UpstreamEntry.objects.create(kind=UpstreamEntry.Kind.OPENING, amount_upstream_micros=1)
    [order] = buy()

    with RawServer(
        lambda sock, _: sock.sendall(answer('{"orders": [{"order": 77}, {"order": 78}, {"order": 77}]}'))
    ) as server:
        forward_order(order.pk, client=client_of(server), clock=timezone.now)

    order.refresh_from_db()
    assert (order.status, order.upstream_id, flags_of(order)) == (Status.PENDING, "77", [Flag.MORE_THAN_ASKED])
    [extra] = LostAttempt.objects.all()
    assert (extra.state, extra.upstream_id, extra.charge_upstream_micros) == (LostAttempt.State.LOSS, "78", 500_000)
    assert order.events.get(code=OrderEvent.Code.LOSS).evidence["upstream_id"] == "78"
    assert known_ids("number", [77, 78, 79]) == {77, 78}


def test_the_ids_of_numbers_nobody_asked_for_break_no_assumption(buy, client_upstream, sandbox):
    [before] = buy()
    forward_order(before.pk, client=client_upstream, clock=timezone.now)
    more = client_upstream.add_sms(project_id=before.number.project.upstream_id, quantity=2, country="us")
    rows = ", ".join(f'{{"order": "{number.order_id}"}}' for number in more)
    [order] = buy()
    with RawServer(lambda sock, _: sock.sendall(answer(f'{{"orders": [{rows}]}}'))) as server:
        forward_order(order.pk, client=client_of(server), clock=timezone.now)
    [after] = buy()
    forward_order(after.pk, client=client_upstream, clock=stopped_at(timezone.now() + timedelta(minutes=11)))

    probe_foreign_ids(client=client_upstream, now=timezone.now() + timedelta(minutes=12))

    assert not UpstreamAssumption.objects.filter(broken_at__isnull=False).exists()


def test_a_number_nobody_asked_for_that_ends_without_a_code_costs_what_upstream_says_then(
    buy, client_upstream, sandbox
):
    [first] = buy()
    more = client_upstream.add_sms(project_id=first.number.project.upstream_id, quantity=2, country="us")
    rows = ", ".join(f'{{"order": "{number.order_id}"}}' for number in more)
    UpstreamEntry.objects.create(kind=UpstreamEntry.Kind.OPENING, amount_upstream_micros=1)
    with RawServer(lambda sock, _: sock.sendall(answer(f'{{"orders": [{rows}]}}'))) as server:
        forward_order(first.pk, client=client_of(server), clock=timezone.now)
    sandbox.set_number(more[1].order_id, status="expired", charge="0.0000")

    assert follow_losses(client=client_upstream, now=timezone.now() + timedelta(minutes=20)) == 1

    [extra] = LostAttempt.objects.all()
    assert (extra.state, extra.charge_upstream_micros) == (LostAttempt.State.LOSS, 0)
