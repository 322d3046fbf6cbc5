"""Answers to claims: replacement, refund or refusal, each line once, and the books add up after each of them."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from accounts.power import NotYourOwnMoney
from notifications.models import Notice
from orders.claims.terms import AlreadyAnswered, AnswerRefused
from orders.lifecycle.listeners import when_orders_change
from orders.models import ClaimAnswer, DeliveredGoods, Order, OrderEvent, Status
from orders.reconciliation.refunds_by_hand import refund_part_by_hand
from tests.orders.claims.claiming import COST, EACH, answer, books_add_up, fresh, refunds, states
from tests.wallet.by_hand import balance
from wallet.models import LedgerEntry, MoneyRequest
from wallet.operations import SubjectChanged
from wallet.operations.manual_moves import approve_request, decline_request

pytestmark = pytest.mark.django_db


# --- Refunds ----------------------------------------------------------------------------------------------------------
def test_refund_gives_the_lines_share_of_the_price_back_once(bought, claim, ann, sam):
    claim(1, 3, 4)
    before = balance(ann)

    given = answer(bought, sam, "refunded", 1, 3, text="Sorry!")
    with pytest.raises(AlreadyAnswered):
        answer(bought, sam, "refunded", 3, 4)

    assert (given.refund_micros, balance(ann) - before, refunds(bought)) == (2 * EACH, 2 * EACH, [2 * EACH])
    assert states(bought) == {1: "refunded", 3: "refunded", 4: "waiting"}
    assert LedgerEntry.objects.get(kind="refund").reference == f"order:{bought.pk}:refund:{2 * EACH}:claim"
    assert MoneyRequest.objects.get().asked_by == sam
    books_add_up()


@pytest.mark.parametrize("pieces", [(1, 2, 3), (1,), (2, 3)])
def test_refunds_one_by_one_come_to_what_they_come_to_together_coupon_and_rounding_included(bought, claim, sam, pieces):
    # As with a coupon: what was paid is not a multiple of the pieces.
    Order.objects.filter(pk=bought.pk).update(price_micros=9_999_990)
    claim(*range(1, 11))
    for line in pieces:
        answer(bought, sam, "refunded", line)
    answer(bought, sam, "refunded", *({*range(1, 11)} - {*pieces}))

    assert fresh(bought).refunded_micros == sum(refunds(bought)) == 9_999_990
    assert refunds(bought)[0] == 999_900  # a tenth, down to 0.0001


def test_refund_together_with_what_was_never_delivered_is_never_more_than_the_price(bought, claim, sam, poll, sandbox):
    DeliveredGoods.objects.filter(order=bought).update(pieces=8)
    claim(1)
    answer(bought, sam, "refunded", 1)
    sandbox.set_order(bought.upstream_id, status="Partial", remains=2)

    poll(days=1)

    # Two that never came, and one that didn't work.
    assert fresh(bought).refunded_micros == 3 * EACH
    books_add_up()


@pytest.mark.parametrize("kind", ["refunded", "replaced"])
def test_what_upstream_gives_back_after_a_complaint_is_not_given_twice(bought, claim, ann, sam, poll, sandbox, kind):
    claim(1, 2)
    answer(bought, sam, kind, 1)
    before = balance(ann)
    sandbox.set_order(bought.upstream_id, status="Partial", remains=1)

    poll(days=1)

    # All ten were delivered: the one that upstream takes back is the one that is settled.
    assert (fresh(bought).status, balance(ann) - before) == (Status.PARTIAL, 0)
    sandbox.set_order(bought.upstream_id, status="Partial", remains=2)
    poll(days=9)
    assert balance(ann) - before == EACH  # and the second one is line 2, as far as anybody can tell
    with pytest.raises(AnswerRefused, match="has been given back already"):
        answer(bought, sam, "refunded", 2)
    with pytest.raises(AnswerRefused, match="given back already"):
        answer(bought, sam, "replaced", 2)
    answer(bought, sam, "refused", 2, text="The money is back on your balance.")
    books_add_up()


def test_refund_of_an_order_that_was_canceled_upstream_is_refused(bought, claim, sam, poll, sandbox):
    claim(1)
    sandbox.set_order(bought.upstream_id, status="Canceled")
    poll(days=1)

    for kind in ("refunded", "replaced"):
        with pytest.raises(AnswerRefused, match="given back already"):
            answer(bought, sam, kind, 1)

    assert fresh(bought).refunded_micros == bought.price_micros
    assert states(bought) == {1: "waiting"}


def test_cancel_after_a_refund_gives_the_rest_back(bought, claim, sam, poll, sandbox):
    claim(1)
    answer(bought, sam, "refunded", 1)
    sandbox.set_order(bought.upstream_id, status="Canceled")

    poll(days=1)

    assert refunds(bought) == [EACH, 9 * EACH]
    books_add_up()


# --- Refusals, and who is told ----------------------------------------------------------------------------------------
def test_refusal_says_why_and_moves_nothing(bought, claim, ann, sam):
    claim(1)
    before = balance(ann)
    with pytest.raises(AnswerRefused, match="Say why"):
        answer(bought, sam, "refused", 1, text="  ")

    answer(bought, sam, "refused", 1, text="It works for us.")

    assert (states(bought), balance(ann), MoneyRequest.objects.count()) == ({1: "refused"}, before, 0)
    notice = Notice.objects.get(key__startswith="claim-answer:")
    assert notice.user == ann
    assert "We can't replace or refund line 1. It works for us." in notice.body
    books_add_up()


def test_answer_is_told_to_listeners_and_in_the_timeline(bought, claim, sam):
    told = []
    stop = when_orders_change(lambda ids, code, *, now: told.append((list(ids), code)))
    claim(1, 2)

    answer(bought, sam, "refunded", 1, 2)
    stop()

    assert ([bought.pk], "claim_answered") in told
    event = bought.events.get(code=OrderEvent.Code.RESOLVED)
    assert (event.actor, event.data["claim"], event.data["lines"]) == (sam, "refunded", [1, 2])


@pytest.mark.parametrize("lines", [(), (7,), (1, 7)])
def test_answer_about_lines_that_nobody_reported_is_refused(bought, claim, sam, lines):
    claim(1)

    with pytest.raises(AnswerRefused):
        answer(bought, sam, "refunded", *lines)

    assert (states(bought), refunds(bought)) == ({1: "waiting"}, [])


def test_answer_that_would_move_something_else_than_shown_is_refused(bought, claim, sam):
    claim(1)

    with pytest.raises(AnswerRefused, match="has changed meanwhile"):
        answer(bought, sam, "refunded", 1, expected_micros=EACH + 1)

    assert (states(bought), MoneyRequest.objects.count()) == ({1: "waiting"}, 0)


# --- Who may ----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["refunded", "replaced", "refused"])
def test_nobody_answers_claims_of_their_own_or_of_who_is_tied_to_them(bought, claim, ann, sam, kind):
    claim(1)
    User.objects.filter(pk=ann.pk).update(referred_by=sam)
    for staff in (sam, ann):
        with pytest.raises(NotYourOwnMoney):
            answer(bought, staff, kind, 1, text="why not")

    assert states(bought) == {1: "waiting"}
    assert not ClaimAnswer.objects.exists()


@pytest.mark.parametrize(("kind", "each"), [("refunded", EACH), ("replaced", COST)])
def test_more_than_one_person_may_move_waits_for_a_second_one(bought, claim, sam, tom, settings, kind, each):
    settings.ADJUST_APPROVAL_MICROS = each
    claim(1, 2)

    given = answer(bought, sam, kind, 1, 2)
    with pytest.raises(AnswerRefused, match="already waiting for a second person"):
        answer(bought, tom, "refunded", 1)

    assert (given.carried_out_at, given.request.state) == (None, "waiting")
    assert (states(bought), refunds(bought), Order.objects.count()) == ({1: "waiting", 2: "waiting"}, [], 1)
    approve_request(given.request.pk, actor=tom)
    assert states(bought) == {1: kind, 2: kind}
    assert (refunds(bought), Order.objects.count()) == (([2 * EACH], 1) if kind == "refunded" else ([], 2))
    books_add_up()


def test_request_that_is_declined_or_outrun_moves_nothing(bought, claim, sam, tom, settings):
    settings.ADJUST_APPROVAL_MICROS = EACH
    claim(1, 2)
    first = answer(bought, sam, "refunded", 1, 2)
    decline_request(first.request.pk, actor=tom)
    second = answer(bought, sam, "refunded", 1, 2)
    answer(bought, tom, "refused", 2, text="It works.")

    with pytest.raises(SubjectChanged):
        approve_request(second.request.pk, actor=tom)

    assert (states(bought), refunds(bought)) == ({1: "waiting", 2: "refused"}, [])
    books_add_up()


# --- Two at once ------------------------------------------------------------------------------------------------------
def in_threads(*works):
    def run(work):
        try:
            return work()
        except Exception as error:
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(works)) as threads:
        return [each.result(timeout=30) for each in [threads.submit(run, work) for work in works]]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kinds", [("refunded", "refunded"), ("refunded", "replaced"), ("replaced", "replaced")])
def test_claim_that_two_answer_at_once_is_answered_once(bought, claim, ann, sam, tom, kinds):
    claim(1)
    before = balance(ann)

    came = in_threads(
        lambda: answer(bought, sam, kinds[0], 1),
        lambda: answer(bought, tom, kinds[1], 1),
    )

    (given,) = [each for each in came if isinstance(each, ClaimAnswer)]
    assert [type(each) for each in came if each is not given] == [AlreadyAnswered]
    assert ClaimAnswer.objects.count() == 1
    moved = (balance(ann) - before, Order.objects.filter(original__isnull=False).count())
    assert moved == ((EACH, 0) if given.kind == "refunded" else (0, 1))
    books_add_up()


@pytest.mark.django_db(transaction=True)
def test_refund_while_the_order_is_canceled_upstream_gives_the_price_back_once(bought, claim, ann, sam, poll, sandbox):
    claim(1, 2)
    before = balance(ann)
    sandbox.set_order(bought.upstream_id, status="Canceled")

    came = in_threads(lambda: answer(bought, sam, "refunded", 1, 2), lambda: poll(days=1))

    assert isinstance(came[0], (ClaimAnswer, AnswerRefused))
    assert balance(ann) - before == bought.price_micros
    assert sum(refunds(bought)) == fresh(bought).refunded_micros == bought.price_micros
    books_add_up()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["refunded", "replaced"])
def test_answer_while_the_customer_reports_another_line_then_neither_waits_for_the_other(bought, claim, ann, sam, kind):
    claim(1)
    order_is_held = threading.Event()

    def pause(_ids, code, *, now):
        if code == "claim_answered":
            order_is_held.set()
            time.sleep(1)  # the report has come as far as it comes

    def report():
        order_is_held.wait(timeout=30)
        return claim(2)

    stop = when_orders_change(pause)
    came = in_threads(lambda: answer(bought, sam, kind, 1), report)
    stop()

    assert isinstance(came[0], ClaimAnswer), came
    assert isinstance(came[1], list), came
    assert states(bought) == {1: kind, 2: "waiting"}


@pytest.mark.parametrize("kind", [ClaimAnswer.Kind.REFUNDED, ClaimAnswer.Kind.REPLACED])
def test_what_staff_gave_for_reasons_of_its_own_is_for_no_line(bought, claim, ann, sam, kind):
    given = {"amount_micros": EACH * 2, "note": "Slow, sorry.", "seen_refunded_micros": 0}
    refund_part_by_hand(bought.pk, actor=sam, now=timezone.now(), **given)
    claim(1)
    before = balance(ann)

    answered = answer(bought, sam, kind, 1)

    assert answered.refund_micros == balance(ann) - before == (EACH if kind == ClaimAnswer.Kind.REFUNDED else 0)


def test_goodwill_and_claims_together_are_never_more_than_the_price(bought, claim, ann, sam):
    given = {"amount_micros": bought.price_micros - EACH // 2, "note": "Sorry.", "seen_refunded_micros": 0}
    refund_part_by_hand(bought.pk, actor=sam, now=timezone.now(), **given)
    claim(1, 2)
    before = balance(ann)

    assert answer(bought, sam, ClaimAnswer.Kind.REFUNDED, 1).refund_micros == EACH // 2
    with pytest.raises(AnswerRefused):
        answer(bought, sam, ClaimAnswer.Kind.REFUNDED, 2)

    assert balance(ann) - before == EACH // 2
    assert fresh(bought).refunded_micros == bought.price_micros
