"""Lines that don't work: kept once each, with when they came and were first opened; told to support without secrets."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from notifications.models import Notice
from orders.lifecycle.goods import keep_goods, note_looks_at_all, reveal, reveal_all
from orders.lifecycle.goods_claims import REPORTS_A_DAY, ClaimRefused, claim_lines
from orders.lifecycle.goods_evidence import evidence_of
from orders.lifecycle.line_numbers import spans_of
from orders.lifecycle.listeners import when_orders_change
from orders.models import DeliveredGoods, GoodsClaim, GoodsReveal, Order

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LINES = [f"user{number}@example.com:secret-{number}" for number in range(5)]
pytestmark = pytest.mark.django_db


@pytest.fixture
def order(sent_order):
    """An order of Ann's whose first two lines came at noon, three more at two."""
    keep_goods(sent_order, LINES[:2], NOON)
    keep_goods(Order.objects.get(pk=sent_order.pk), LINES, NOON + 2 * HOUR)
    return sent_order


def look(order, user, at):
    reveal_all([order], user=user, address=None, now=at)


def claim(order, user, lines=(1,), reason="sign_in", text="", at=NOON + 9 * HOUR):
    return claim_lines(order.pk, user=user, lines=lines, reason=reason, text=text, now=at)


def evidence(order, *numbers):
    goods = DeliveredGoods.objects.get(order=order)
    return [(one.delivered_at, one.first_opened_at) for one in evidence_of(goods, numbers).values()]


# --- When what was delivered and opened -------------------------------------------------------------------------------
def test_evidence_of_lines_that_came_and_were_opened_at_different_times_is_their_own(sent_order, ann):
    keep_goods(sent_order, LINES[:2], NOON)
    look(sent_order, ann, NOON + HOUR)
    keep_goods(Order.objects.get(pk=sent_order.pk), LINES, NOON + 2 * HOUR)
    before = evidence(sent_order, 2, 3)
    for hours in (3, 4, 30):
        look(sent_order, ann, NOON + hours * HOUR)

    assert before == [(NOON, NOON + HOUR), (NOON + 2 * HOUR, None)]
    assert evidence(sent_order, 1, 2, 3, 5) == [
        *[(NOON, NOON + HOUR)] * 2,
        *[(NOON + 2 * HOUR, NOON + 3 * HOUR)] * 2,
    ]
    # What the log of looks forgets one day is kept here.
    GoodsReveal.objects.all().delete()
    assert evidence(sent_order, 1, 5) == [(NOON, NOON + HOUR), (NOON + 2 * HOUR, NOON + 3 * HOUR)]


def test_evidence_of_goods_from_before_it_was_kept_is_that_of_the_log(order, ann):
    DeliveredGoods.objects.update(arrivals=[], openings=[], received_at=NOON)
    GoodsReveal.objects.create(goods=order.goods, user=ann, day=NOON.date(), created_at=NOON + HOUR)

    look(order, ann, NOON + 5 * HOUR)

    assert evidence(order, 1) == [(NOON, NOON + HOUR)]


def test_evidence_of_goods_from_before_it_was_kept_that_get_more_knows_when_these_came(sent_order):
    keep_goods(sent_order, LINES[:2], NOON)
    DeliveredGoods.objects.update(arrivals=[])

    keep_goods(Order.objects.get(pk=sent_order.pk), LINES, NOON + 2 * HOUR)

    assert [delivered for delivered, _opened in evidence(sent_order, 2, 3)] == [NOON, NOON + 2 * HOUR]


def test_evidence_of_lines_that_an_older_release_added_is_when_they_came(sent_order, ann):
    keep_goods(sent_order, LINES[:2], NOON)
    keep_goods(Order.objects.get(pk=sent_order.pk), LINES[:4], NOON + 2 * HOUR)
    DeliveredGoods.objects.update(arrivals=[[2, NOON.isoformat()]])  # it notes no arrivals
    look(sent_order, ann, NOON + 3 * HOUR)

    keep_goods(Order.objects.get(pk=sent_order.pk), LINES, NOON + 4 * HOUR)

    assert evidence(sent_order, 2, 3, 5) == [
        *((NOON, NOON + 3 * HOUR), (NOON + 2 * HOUR, NOON + 3 * HOUR), (NOON + 4 * HOUR, None))
    ]


def test_look_when_all_lines_were_opened_before_then_nothing_more_is_written(order, ann, django_assert_num_queries):
    look(order, ann, NOON + 3 * HOUR)
    openings = DeliveredGoods.objects.get().openings

    look(order, ann, NOON + 4 * HOUR)

    assert DeliveredGoods.objects.get().openings == openings == [[5, (NOON + 3 * HOUR).isoformat()]]


def test_download_of_everything_is_an_opening_too(order, ann):
    note_looks_at_all(ann, until=NOON + 3 * HOUR, address=None, now=NOON + 3 * HOUR)

    assert evidence(order, 5) == [(NOON + 2 * HOUR, NOON + 3 * HOUR)]


# --- Reporting --------------------------------------------------------------------------------------------------------
def test_claim_is_a_row_a_line_with_the_evidence_of_each(order, ann):
    look(order, ann, NOON + 3 * HOUR)

    claim(order, ann, lines=[5, 1, 5], reason="locked", text=" Asks for a code ")

    assert list(GoodsClaim.objects.order_by("line").values_list("line", "reason", "text", "delivered_at")) == [
        (1, "locked", "Asks for a code", NOON),
        (5, "locked", "Asks for a code", NOON + 2 * HOUR),
    ]
    assert {row.first_opened_at for row in GoodsClaim.objects.all()} == {NOON + 3 * HOUR}
    assert {row.claimed_at for row in GoodsClaim.objects.all()} == {NOON + 9 * HOUR}


def test_claim_is_told_to_whoever_listens_with_its_rows_written(order, ann):
    told = []
    stop = when_orders_change(
        lambda ids, code, *, now: told.append((list(ids), code, now, GoodsClaim.objects.filter(order__in=ids).count()))
    )
    look(order, ann, NOON + 3 * HOUR)

    claim(order, ann, lines=[1, 2])
    stop()

    assert told == [([order.pk], "goods_claimed", NOON + 9 * HOUR, 2)]


def test_claim_of_a_line_twice_is_refused_and_names_it(order, ann):
    look(order, ann, NOON + 3 * HOUR)
    claim(order, ann, lines=[2, 3])

    with pytest.raises(ClaimRefused, match="already reported lines 2-3") as refused:
        claim(order, ann, lines=[1, 2, 3, 4])
    with pytest.raises(IntegrityError), transaction.atomic():
        GoodsClaim.objects.create(order=order, line=2, reason="used", delivered_at=NOON, first_opened_at=NOON)

    assert refused.value.field == "lines"
    assert GoodsClaim.objects.count() == 2


@pytest.mark.parametrize(
    ("asked", "field", "words"),
    [
        ({"lines": []}, "lines", "This order has 5 lines"),
        ({"lines": [0]}, "lines", "This order has 5 lines"),
        ({"lines": [1, 6]}, "lines", "This order has 5 lines"),
        ({"reason": "other"}, "text", "Tell us in a few words"),
        ({"text": "x" * 1001}, "text", "at most 1000 characters"),
        ({"text": f"It says wrong password for {LINES[2]}"}, "text", "Leave logins and passwords out"),
        ({"text": "secret-4 is refused"}, "text", "Leave logins and passwords out"),
    ],
)
def test_claim_that_says_nothing_or_too_much_is_refused(order, ann, asked, field, words):
    look(order, ann, NOON + 3 * HOUR)

    with pytest.raises(ClaimRefused, match=words) as refused:
        claim(order, ann, **asked)

    assert refused.value.field == field
    assert not GoodsClaim.objects.exists()
    assert not Notice.objects.filter(key__startswith="goods-claim:").exists()


def test_claim_of_lines_nobody_has_opened_is_refused(sent_order, ann):
    keep_goods(sent_order, LINES[:2], NOON)
    look(sent_order, ann, NOON + HOUR)
    keep_goods(Order.objects.get(pk=sent_order.pk), LINES, NOON + 2 * HOUR)

    with pytest.raises(ClaimRefused, match="Open your goods first"):
        claim(sent_order, ann, lines=[2, 3])

    assert not GoodsClaim.objects.exists()


def test_claim_of_somebody_elses_order_or_of_one_without_goods_is_refused(order, ann, ben, place):
    look(order, ann, NOON + 3 * HOUR)

    with pytest.raises(Order.DoesNotExist):
        claim(order, ben)
    with pytest.raises(ClaimRefused, match="Nothing has been delivered yet"):
        claim(place(), ann)
    with pytest.raises(ValueError, match="nonsense"):
        claim(order, ann, reason="nonsense")


def test_claims_of_one_customer_are_limited_by_the_day(order, ann):
    keep_goods(Order.objects.get(pk=order.pk), [f"more{number}" for number in range(REPORTS_A_DAY)], NOON)
    reveal(order, ann, None)
    now = timezone.now()
    for number in range(1, REPORTS_A_DAY + 1):
        claim(order, ann, lines=[number], at=now + timedelta(seconds=number))

    with pytest.raises(ClaimRefused, match="20 reports within a day"):
        claim(order, ann, lines=[REPORTS_A_DAY + 1], at=now + HOUR)
    claim(order, ann, lines=[REPORTS_A_DAY + 1], at=now + 25 * HOUR)

    assert GoodsClaim.objects.count() == REPORTS_A_DAY + 1


def test_claim_when_the_key_is_gone_is_taken_all_the_same(order, ann):
    look(order, ann, NOON + 3 * HOUR)
    DeliveredGoods.objects.update(encrypted="damaged")

    claim(order, ann, text="secret-4")

    assert GoodsClaim.objects.count() == 1


def test_spans_of_numbers_are_written_as_people_do():
    assert [spans_of(numbers) for numbers in ([], [4], [3, 1, 2], [9, 1, 2, 4, 5, 6])] == [
        "",
        "4",
        "1-3",
        "1-2, 4-6, 9",
    ]
