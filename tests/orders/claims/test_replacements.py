"""Answers to claims that are replacements: orders at our cost, and what becomes of the lines they stand for."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from catalog.models import Service
from notifications.models import Notice
from orders.claims.replacing import note_fallen_through
from orders.claims.terms import AnswerRefused
from orders.fulfilment.apply_mappings import apply_listed_refusal
from orders.fulfilment.forward import forward_order
from orders.fulfilment.margin import review_held_orders
from orders.lifecycle.goods import reveal
from orders.lifecycle.service_requests import cancel_unsent
from orders.models import ClaimAnswer, DeliveredGoods, KnownRefusal, Order, OrderEvent, ReferralEarning, Status
from tests.orders.claims.claiming import COST, EACH, answer, books_add_up, fresh, refunds, states
from tests.wallet.by_hand import balance

pytestmark = pytest.mark.django_db


def test_replacement_is_an_order_at_our_cost_that_is_sent_once_and_brings_goods_of_its_own(
    bought, claim, ann, sam, poll, sandbox, client_upstream
):
    claim(2, 5)
    before = balance(ann)

    made = answer(bought, sam, "replaced", 2, 5).replacement
    sent = [forward_order(made.pk, client=client_upstream, clock=timezone.now) for _time in range(2)]
    made = fresh(made)
    sandbox.set_order(made.upstream_id, status="Completed", remains=0, accounts=["new1:a-secret", "new2:b-secret"])
    poll(days=1)

    made = fresh(made)
    assert sent == [True, False]
    assert (made.status, made.price_micros, made.quantity, made.original, made.user) == (
        *(Status.COMPLETED, 0, 2, bought, ann),
    )
    assert (made.cost_upstream_micros, made.charge_upstream_micros) == (2 * COST, 2 * COST)
    assert reveal(made, ann, None) == ["new1:a-secret", "new2:b-secret"]
    assert balance(ann) == before
    assert made.flags.count() == 0
    assert not Service.objects.exclude(paused_because="").exists()
    assert states(bought) == {2: "replaced", 5: "replaced"}
    books_add_up()


def test_goods_of_a_replacement_that_do_not_work_either_are_refunded_from_what_was_paid(
    bought, claim, ann, sam, poll, sandbox, client_upstream
):
    claim(1)
    made = answer(bought, sam, "replaced", 1).replacement
    forward_order(made.pk, client=client_upstream, clock=timezone.now)
    sandbox.set_order(fresh(made).upstream_id, status="Completed", remains=0, accounts=["new1:a-secret"])
    poll(days=1)
    now = timezone.now()
    DeliveredGoods.objects.filter(order=made).update(arrivals=[[1, now.isoformat()]], received_at=now)
    made = fresh(made)
    reveal(made, ann, None)
    claim(1, order=made)

    given = answer(made, sam, "refunded", 1)

    assert (given.refund_micros, refunds(bought), refunds(made)) == (EACH, [EACH], [])
    assert (states(bought), states(made)) == ({1: "replaced"}, {1: "refunded"})
    books_add_up()


@pytest.mark.parametrize("how", ["refused", "canceled", "by customer", "held"])
def test_replacement_that_comes_to_nothing_lets_its_lines_wait_again(
    bought, claim, ann, sam, poll, sandbox, client_upstream, how
):
    claim(1, 2)
    made = answer(bought, sam, "replaced", 1, 2).replacement
    if how == "by customer":
        cancel_unsent(made.pk, user=ann, now=timezone.now())
    elif how == "held":
        Service.objects.update(rate_upstream_micros=9_000_000)
        forward_order(made.pk, client=client_upstream, clock=timezone.now)
        assert fresh(made).held_because
        review_held_orders(now=timezone.now() + timedelta(days=30))
    else:
        if how == "refused":
            sandbox.fail_next("refuse", action="add", text="Drip-feed is not available, runs must be 1", status=400)
        forward_order(made.pk, client=client_upstream, clock=timezone.now)
        if how == "canceled":
            sandbox.set_order(fresh(made).upstream_id, status="Canceled", charge="0")
            poll(days=1)

    assert fresh(made).status in (Status.FAILED, Status.CANCELED)
    assert states(bought) == {1: "waiting", 2: "waiting"}
    assert ClaimAnswer.objects.get().fell_through_at is not None
    assert Notice.objects.filter(user=None, key__startswith="claim-again:").count() == 1
    assert not Notice.objects.filter(user=ann, key__startswith=f"order:{made.pk}:").exists()
    answer(bought, sam, "refunded", 1, 2)
    assert refunds(bought) == [2 * EACH]
    books_add_up()


def test_replacement_of_which_a_part_comes_lets_so_many_lines_wait_again(
    bought, claim, sam, poll, sandbox, client_upstream
):
    claim(1, 2, 3)
    made = answer(bought, sam, "replaced", 1, 2, 3).replacement
    forward_order(made.pk, client=client_upstream, clock=timezone.now)
    sandbox.set_order(fresh(made).upstream_id, status="Partial", remains=1, accounts=["a:secret-a", "b:secret-b"])

    poll(days=1)

    assert states(bought) == {1: "replaced", 2: "replaced", 3: "waiting"}
    books_add_up()


def replaced_and_opened(bought, ann, sam, poll, sandbox, client_upstream, *lines):
    """The order that replaced these lines, delivered and opened."""
    made = answer(bought, sam, "replaced", *lines).replacement
    forward_order(made.pk, client=client_upstream, clock=timezone.now)
    accounts = [f"new{line}:a-secret-{line}" for line in lines]
    sandbox.set_order(fresh(made).upstream_id, status="Completed", remains=0, accounts=accounts)
    poll(days=1)
    now = timezone.now()
    DeliveredGoods.objects.filter(order=made).update(arrivals=[[len(lines), now.isoformat()]], received_at=now)
    reveal(made, ann, None)
    return fresh(made)


@pytest.mark.parametrize("ending", [{"status": "Canceled"}, {"status": "Partial", "remains": 3}])
def test_replacement_that_is_taken_back_after_a_line_of_it_was_refunded_gives_no_line_back_twice(
    bought, claim, ann, sam, poll, sandbox, client_upstream, ending
):
    claim(1, 2, 3)
    made = replaced_and_opened(bought, ann, sam, poll, sandbox, client_upstream, 1, 2, 3)
    claim(1, order=made)
    answer(made, sam, "refunded", 1)

    sandbox.set_order(made.upstream_id, **ending)
    poll(days=9)

    waiting = [line for line, state in states(bought).items() if state == "waiting"]
    assert len(waiting) == 2
    answer(bought, sam, "refunded", *waiting)
    assert refunds(bought) == [EACH, 2 * EACH]
    books_add_up()


@pytest.mark.parametrize("kind", ["refunded", "replaced"])
def test_lines_of_a_replacement_that_was_taken_back_are_answered_where_they_wait_again(
    bought, claim, ann, sam, poll, sandbox, client_upstream, kind
):
    claim(1, 2)
    made = replaced_and_opened(bought, ann, sam, poll, sandbox, client_upstream, 1, 2)
    claim(1, 2, order=made)
    sandbox.set_order(made.upstream_id, status="Canceled")
    poll(days=9)
    assert states(bought) == {1: "waiting", 2: "waiting"}

    with pytest.raises(AnswerRefused, match=f"waits for an answer at order #{bought.pk}"):
        answer(made, sam, kind, 1)

    answer(made, sam, "refused", 1, 2, text="You get the money for those they replaced.")
    answer(bought, sam, "refunded", 1, 2)
    assert refunds(bought) == [2 * EACH]
    books_add_up()


def test_replacement_whose_answer_was_a_text_is_closed_once_that_text_is_listed(
    bought, claim, ann, sam, sandbox, client_upstream
):
    claim(1)
    made = answer(bought, sam, "replaced", 1).replacement
    sandbox.fail_next("refuse", action="add", text="Out of luck")
    forward_order(made.pk, client=client_upstream, clock=timezone.now)
    assert fresh(made).status == Status.UNKNOWN
    KnownRefusal.objects.create(text="Out of luck")

    assert apply_listed_refusal("Out of luck", actor=sam, now=timezone.now()) == 1

    assert (fresh(made).status, states(bought)) == (Status.FAILED, {1: "waiting"})
    books_add_up()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"min_quantity": 5}, "Enter a quantity between 5 and"),
        ({"visible": False}, "no longer sold"),
        ({"paused_because": "x"}, "paused"),
    ],
)
def test_replacement_that_cannot_be_ordered_is_refused_with_what_to_do_instead(bought, claim, sam, changed, words):
    claim(1)
    Service.objects.update(**changed)

    with pytest.raises(AnswerRefused, match=words) as refusal:
        answer(bought, sam, "replaced", 1)

    assert "Give the money back instead." in str(refusal.value)
    assert (Order.objects.count(), states(bought)) == (1, {1: "waiting"})


def test_order_without_a_price_that_replaces_nothing_is_refused_by_the_database(bought):
    with pytest.raises(IntegrityError), transaction.atomic():
        Order.objects.filter(pk=bought.pk).update(price_micros=0)


def test_replacements_make_an_earning_smaller(bought, claim, sam, client_upstream, settings):
    from decimal import Decimal

    from orders.lifecycle.final_margin import earned_micros

    alone = earned_micros(bought, Decimal(50))
    claim(1)
    made = answer(bought, sam, "replaced", 1).replacement
    forward_order(made.pk, client=client_upstream, clock=timezone.now)

    assert alone - earned_micros(bought, Decimal(50)) == COST // 2
    assert not ReferralEarning.objects.exists()  # a replacement earns nothing


def test_order_that_replaces_nothing_when_it_comes_to_nothing_costs_one_plain_question(place):
    order = place()

    with CaptureQueriesContext(connection) as asked:
        note_fallen_through([order.pk], OrderEvent.Code.CANCELED, now=timezone.now())

    assert len(asked) == 1
    assert "JOIN" not in asked[0]["sql"]
