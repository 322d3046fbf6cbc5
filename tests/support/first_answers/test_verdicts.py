"""What each rule answers, when, and when it leaves the question to a human."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from catalog.models import ServiceQuality
from orders.lifecycle.service_requests import close_request, request_service
from orders.models import AttentionFlag, OrderEvent, Status
from support.first_answers.moments_in_text import in_html, in_words, keep_moment
from support.first_answers.verdicts import Verdict, verdict_of
from support.models import FirstAnswerRule, Ticket
from wallet.models import TopUp

pytestmark = pytest.mark.django_db
Reason, State = Ticket.Reason, Ticket.State
DONE = {"status": Status.COMPLETED}


def said(ticket: Ticket, *, hours: float = 0) -> tuple[str, str] | None:
    """The rule that answers, and what becomes of the ticket; None where a human is asked."""
    verdict = verdict_of(ticket, timezone.now() + timedelta(hours=hours))
    return (verdict.rule.code, verdict.state) if verdict else None


def answer(ticket: Ticket) -> Verdict:
    verdict = verdict_of(ticket, timezone.now())
    assert verdict is not None
    return verdict


def ended(days: float) -> dict[str, Any]:
    return {**DONE, "finished_at": timezone.now() - timedelta(days=days)}


@pytest.mark.parametrize("said", ["2026-13-01 00:00 UTC", "0001-01-01 00:00 UTC", "9999-12-31 23:59 UTC"])
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo"])
def test_moments_beyond_every_calendar_break_no_page(said: str, zone: str) -> None:
    with timezone.override(zone):
        written = in_words(said), in_html(said)

    assert all(written)


def test_slow_when_it_is_younger_than_nine_in_ten_then_the_hour_is_told_and_it_comes_back(ask, order_of) -> None:
    order = order_of(hours=1)

    verdict = answer(ask(Reason.SLOW, order))

    by = verdict.comes_back_at
    assert by is not None
    assert (verdict.rule.code, verdict.state) == ("in_usual_time", State.WATCHED)
    assert timedelta(0) <= by - (order.created_at + timedelta(hours=4)) < timedelta(minutes=5)
    assert verdict.text.startswith("Nine in ten orders of this service are done within 4 hours")
    assert keep_moment(by) in verdict.text
    assert verdict.supplier_text == ""


def test_slow_when_the_customer_reads_russian_then_the_times_are_told_so(ask, order_of, ann) -> None:
    ann.language = "ru"
    ann.save(update_fields=["language"])
    FirstAnswerRule.objects.filter(code="in_usual_time").update(texts={"ru": "Обычно {most}, к {by}."})

    text = answer(ask(Reason.SLOW, order_of())).text

    assert text.startswith("Обычно 4 часа, к 20")


@pytest.mark.parametrize(
    ("hours", "columns", "rule"),
    [
        (3.9, {}, "in_usual_time"),
        (4.5, {"remains": 400}, None),  # late, and moving: for a human, without fuss
        (4.5, {"remains": 1000}, "stalled"),
        (8.5, {"remains": 400}, "stalled"),
        (1, {"held_because": "paused", "status": Status.PAID}, None),
        (1, {"status": Status.UNKNOWN}, None),
        (9, DONE, None),
    ],
)
def test_slow_when_time_passes_then_the_rule_is_the_one_for_that_hour(ask, order_of, hours, columns, rule) -> None:
    found = said(ask(Reason.SLOW, order_of(hours=hours, **columns)))

    assert (found[0] if found else None) == rule


def test_slow_when_the_order_waits_for_staff_anyway_then_no_rule_promises_an_hour(ask, order_of) -> None:
    order = order_of()
    AttentionFlag.objects.create(order=order, code=AttentionFlag.Code.NOT_FOUND)

    assert said(ask(Reason.SLOW, order)) is None


def test_slow_when_the_service_is_not_measured_then_only_the_rules_own_hours_count(ask, order_of) -> None:
    ServiceQuality.objects.all().delete()
    young, old = order_of(hours=30), order_of(hours=80, upstream_id="78")

    assert said(ask(Reason.SLOW, young)) is None
    assert said(ask(Reason.SLOW, old)) == ("stalled", State.OPEN)


@pytest.mark.parametrize(
    ("hours", "status", "rule"),
    [
        (0.2, Status.PENDING, "start_in_usual_time"),
        (0.2, Status.IN_PROGRESS, "in_usual_time"),  # it has begun: the end is what is left to wait for
        (1.2, Status.PENDING, "in_usual_time"),
        (1.6, Status.PENDING, "in_usual_time"),
        (5, Status.PENDING, "stalled"),
    ],
)
def test_not_started_when_time_passes_then_the_start_is_told_first(ask, order_of, hours, status, rule) -> None:
    found = said(ask(Reason.NOT_STARTED, order_of(hours=hours, status=status)))

    assert found is not None
    assert found[0] == rule


def test_stalled_when_staff_takes_it_up_then_evidence_and_a_message_to_the_supplier_are_there(ask, order_of) -> None:
    order = order_of(hours=30, start_count=120, remains=1000)

    verdict = answer(ask(Reason.SLOW, order))

    assert verdict.state == State.OPEN
    assert "supplier" not in verdict.text.lower()
    assert verdict.supplier_text.splitlines() == [
        "Order 77: This order is taking much longer than usual. Please speed it up, or cancel it with a refund.",
        "",
        "Order: 77",
        "Service: 900001 Instagram Followers, real",
        "Link: https://instagram.com/ann",
        "Quantity: 1000",
        "Start count: 120",
        "Remains: 1000",
        "Status: In progress",
        f"Sent: {keep_moment(order.created_at)}",
        "Usual time (9 in 10): 4 hours",
        "Time so far: 30 hours",
    ]
    assert "Delivered: 0 / 1,000" in verdict.note
    assert "Nine in ten are done within: 4 hours" in verdict.note


@pytest.mark.parametrize(
    ("refill", "facts", "days_ago", "rule"),
    [
        (False, {}, 3, "refill_not_offered"),
        (True, {"refill_days": 30}, 31, "refill_too_late"),
        (True, {"warranty_hours": 48}, 3, "refill_too_late"),
        (True, {"refill_days": 30}, 29, None),
        (True, {"refill_days": 36_500}, 4000, None),
        (True, {}, 4000, None),
        (True, {"refill_days": 30}, 0.5, "refill_cool_down"),
    ],
)
@pytest.mark.parametrize("reason", [Reason.DROPPED, Reason.REFILL])
def test_refill_when_the_order_ended_some_days_ago_then_what_the_service_promises_decides(
    ask, order_of, refill, facts, days_ago, rule, reason
) -> None:
    order = order_of(hours=24 * 5000, service_has={"refill": refill, "facts": facts}, **ended(days_ago))

    found = said(ask(reason, order))

    assert (found[0] if found else None) == rule


def test_refill_when_it_is_too_early_then_it_comes_back_by_itself_after_the_owners_hours(ask, order_of) -> None:
    order = order_of(hours=100, service_has={"refill": True}, **ended(1.5))
    FirstAnswerRule.objects.filter(code="refill_cool_down").update(hours=48)

    verdict = answer(ask(Reason.REFILL, order))

    assert verdict.state == State.WATCHED
    assert verdict.comes_back_at is not None
    assert timedelta(0) <= verdict.comes_back_at - (order.finished_at + timedelta(hours=48)) < timedelta(minutes=5)


def test_refill_when_it_was_refilled_lately_then_that_end_counts(ask, order_of, ann, sam) -> None:
    order = order_of(hours=500, service_has={"refill": True}, **ended(10))
    asked = request_service(order.pk, user=ann, kind="refill", now=timezone.now() - timedelta(hours=30))
    close_request(asked.pk, state="done", answer="", actor=sam, now=timezone.now() - timedelta(hours=5))
    FirstAnswerRule.objects.filter(code="asked_already").update(active=False)

    assert said(ask(Reason.DROPPED, order)) == ("refill_cool_down", State.WATCHED)
    assert said(ask(Reason.DROPPED, order), hours=20) is None


def test_refill_when_it_was_asked_already_then_what_became_of_that_is_told(ask, order_of, ann, sam) -> None:
    order = order_of(hours=500, service_has={"refill": True}, **ended(10))
    asked = request_service(order.pk, user=ann, kind="refill", now=timezone.now())
    ticket = ask(Reason.DROPPED, order)
    own = Ticket.objects.get(request=asked)

    waiting = answer(ticket)
    close_request(asked.pk, state="declined", answer="The link is private.", actor=sam, now=timezone.now())
    closed = answer(ticket)

    assert said(own) is None  # its own request is not an earlier one
    assert (waiting.rule.code, waiting.state) == ("asked_already", State.ANSWERED)
    assert "It is with our team" in waiting.text
    assert closed.text.endswith("A refill isn't possible. The link is private.")
    assert said(ticket, hours=25) is None


def test_asked_when_a_ticket_about_the_same_waits_for_staff_then_it_is_named(ask, order_of) -> None:
    order = order_of(hours=4.5, remains=400)
    first = ask(Reason.SLOW, order)

    second = answer(ask(Reason.SLOW, order))

    assert second.rule.code == "asked_already"
    assert f"#{first.pk}" in second.text


@pytest.mark.parametrize(
    ("hours", "cancel", "status", "rule", "state"),
    [
        (1, False, Status.IN_PROGRESS, "cancel_not_offered", State.WATCHED),
        (5, False, Status.IN_PROGRESS, "cancel_not_offered", State.ANSWERED),
        (1, True, Status.IN_PROGRESS, None, None),
        (1, False, Status.PAID, None, None),
    ],
)
def test_cancel_when_the_service_allows_it_or_not_then_that_is_told(
    ask, order_of, hours, cancel, status, rule, state
) -> None:
    order = order_of(hours=hours, service_has={"cancel": cancel}, status=status)

    found = said(ask(Reason.CANCEL, order))

    assert found == ((rule, state) if rule else None)


def test_cancel_when_the_owner_lets_requests_wait_for_the_usual_time_then_they_do(ask, order_of) -> None:
    FirstAnswerRule.objects.filter(code="cancel_in_usual_time").update(active=True)
    order = order_of(hours=1, service_has={"cancel": True})

    assert said(ask(Reason.CANCEL, order)) == ("cancel_in_usual_time", State.WATCHED)


def test_partial_when_the_rest_was_refunded_then_the_amount_is_told(ask, order_of) -> None:
    order = order_of(status=Status.PARTIAL, remains=400, refunded_micros=750_000)
    OrderEvent.objects.create(order=order, code=OrderEvent.Code.REFUNDED, status=order.status)

    verdict = answer(ask(Reason.PARTIAL, order))

    assert (verdict.rule.code, verdict.state) == ("partial_refunded", State.ANSWERED)
    assert verdict.text.startswith("600 of 1,000 were delivered. For the rest $0.75 went back to your balance on 20")


def pay(ann: Any, **columns: Any) -> TopUp:
    values = {"gateway": "manual", "currency": "USD", "amount_micros": 5_000_000, "pay_micros": 5_000_000}
    return TopUp.objects.create(user=ann, **{**values, **columns})


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"status": "pending"}, "We are waiting for your transfer of $5.00 to arrive, and confirm it by hand."),
        ({}, "you haven't told us yet that you sent it."),
        ({"gateway": "stripe", "status": "pending"}, "Your payment of $5.00 (stripe) has been made"),
        ({"gateway": "stripe"}, "We have had no word of your payment of $5.00"),
        ({"status": "paid"}, None),
        ({"status": "pending", "attention": "too little"}, None),
    ],
)
def test_payment_when_its_way_to_pay_has_not_confirmed_it_then_what_is_awaited_is_told(
    ask, ann, columns, words
) -> None:
    verdict = verdict_of(ask(Reason.PAYMENT, top_up=pay(ann, **columns)), timezone.now())

    if words is None:
        assert verdict is None
    else:
        assert verdict is not None
        assert words in verdict.text
        assert verdict.state == State.WATCHED


def test_verdict_when_the_rule_is_off_or_nothing_is_known_then_a_human_is_asked(ask, order_of, ann) -> None:
    slow = ask(Reason.SLOW, order_of())
    FirstAnswerRule.objects.filter(code="in_usual_time").update(active=False)

    assert said(slow) is None
    assert said(ask(Reason.OTHER)) is None
    assert said(ask(Reason.SLOW)) is None
    assert said(ask(Reason.PAYMENT)) is None


def test_verdict_when_values_look_like_placeholders_then_they_are_only_text(ask, order_of, sam, ann) -> None:
    order = order_of(hours=500, service_has={"refill": True}, **ended(10))
    asked = request_service(order.pk, user=ann, kind="refill", now=timezone.now())
    close_request(asked.pk, state="done", answer="{asked} {by}", actor=sam, now=timezone.now())

    assert answer(ask(Reason.DROPPED, order)).text.endswith("{asked} {by}")
