"""Requests and reports at orders become tickets, and what is decided is said in both, once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.power import NotYourOwnMoney
from notifications.models import Notice
from orders.claims.answering import answer_claims
from orders.lifecycle.goods import keep_goods, reveal_all
from orders.lifecycle.goods_claims import claim_lines
from orders.lifecycle.service_requests import RequestRefused, close_request, request_service
from orders.lifecycle.transitions import WrongStatus
from orders.models import GoodsClaim, Order, OrderEvent, ServiceRequest, Status
from support.models import Message, Ticket
from support.tickets import thread
from support.tickets.limits import lock_customer
from support.tickets.messages import locked, say
from support.tickets.opening import open_ticket
from support.tickets.refusals import TicketRefused

Kind, Reason, State = Message.Kind, Ticket.Reason, Ticket.State
pytestmark = pytest.mark.django_db
NOW = timezone.now()
LINES = [f"user{number}@example.com:secret-{number}" for number in range(3)]


@pytest.fixture
def delivered(sent_order, ann):
    """An order of Ann's with three lines, which she has opened."""
    keep_goods(sent_order, LINES, NOW)
    reveal_all([sent_order], user=ann, address=None, now=NOW)
    return sent_order


@pytest.fixture
def asked(working, ann, no_first_answers):
    """Ann's request to cancel an order at work."""
    return request_service(working.pk, user=ann, kind="cancel", now=NOW)


def said(ticket):
    return [(str(message.kind), message.text) for message in ticket.messages.order_by("id")]


def test_request_service_then_a_ticket_waits_and_the_staff_has_one_mail(asked, ann):
    ticket = Ticket.objects.get()

    assert (ticket.request, ticket.order, ticket.reason, ticket.state) == (
        asked,
        asked.order,
        Reason.CANCEL,
        State.OPEN,
    )
    assert said(ticket) == [("customer", f"Please cancel order #{asked.order_id}.")]
    assert [notice.key for notice in Notice.objects.filter(user=None)] == [f"ticket:{ticket.pk}"]
    with pytest.raises(RequestRefused):
        request_service(asked.order_id, user=ann, kind="cancel", now=NOW)
    assert Ticket.objects.count() == 1


def test_answer_with_an_outcome_then_the_request_is_closed_and_the_customer_hears_once(asked, ann, sam):
    ticket = Ticket.objects.get()

    thread.answer(ticket.pk, actor=sam, text="We have stopped it. " * 30, outcome="done", now=NOW)

    asked.refresh_from_db()
    ticket.refresh_from_db()
    assert (asked.state, asked.closed_by, len(asked.answer), ticket.state) == ("done", sam, 300, State.ANSWERED)
    assert [kind for kind, _text in said(ticket)] == ["customer", "event", "staff"]
    (mail,) = Notice.objects.filter(user=ann)
    assert mail.body.startswith("We have requested cancellation of the order.\n\nWe have stopped it.")
    assert OrderEvent.objects.filter(order=asked.order, code="resolved").count() == 1
    with pytest.raises(TicketRefused, match="already answered this request"):
        thread.answer(ticket.pk, actor=sam, text="No", outcome="declined", now=NOW)


def test_answer_without_an_outcome_then_the_ticket_goes_on_waiting(asked, sam):
    ticket = Ticket.objects.get()

    thread.answer(ticket.pk, actor=sam, text="We are asking.", now=NOW + timedelta(hours=1))

    ticket.refresh_from_db()
    assert (ticket.state, ticket.waiting_since, ticket.first_answer_at) == (State.OPEN, NOW, NOW + timedelta(hours=1))
    for act in (
        lambda: thread.answer(ticket.pk, actor=sam, text="Bye", close=True, now=NOW),
        lambda: thread.close(ticket.pk, actor=sam, now=NOW),
    ):
        with pytest.raises(TicketRefused, match="what becomes of the request"):
            act()
    assert ServiceRequest.objects.get().state == "open"


def test_answer_of_a_referral_relation_then_nothing_is_said(asked, ann, sam):
    type(sam).objects.filter(pk=ann.pk).update(referred_by=sam)

    with pytest.raises(NotYourOwnMoney):
        thread.answer(Ticket.objects.get().pk, actor=sam, text="Sure", outcome="done", now=NOW)

    assert Message.objects.count() == 1


def test_close_request_at_the_order_then_its_ticket_says_so(asked, ann, sam):
    close_request(asked.pk, state="declined", answer="It is nearly done.", actor=sam, now=NOW)

    ticket = Ticket.objects.get()
    assert ticket.state == State.ANSWERED
    assert ticket.first_answer_at == NOW
    assert said(ticket)[1:] == [("event", "The order can't be canceled."), ("staff", "It is nearly done.")]
    (mail,) = Notice.objects.filter(user=ann)
    assert f"/help/{ticket.pk}/" in mail.body
    with pytest.raises(WrongStatus):
        close_request(asked.pk, state="done", answer="", actor=sam, now=NOW)


def test_close_request_without_a_ticket_then_it_gets_one(working, ann, sam):
    asked = ServiceRequest.objects.create(order=working, kind="cancel", created_at=NOW)

    close_request(asked.pk, state="done", answer="", actor=sam, now=NOW)

    assert said(Ticket.objects.get(request=asked))[1:] == [("event", "We have requested cancellation of the order.")]


def test_request_service_when_a_rule_declines_then_it_is_closed_in_the_same_step(order_of, ann):
    order = order_of(hours=90, service_has={"refill": True}, status="completed")
    earlier = NOW - timedelta(hours=1)
    ServiceRequest.objects.create(order=order, kind="refill", state="done", closed_at=earlier, created_at=earlier)

    asked = request_service(order.pk, user=ann, kind="refill", now=NOW)

    ticket = Ticket.objects.get()
    assert (asked.state, asked.closed_by) == ("declined", None)
    assert [kind for kind, _text in said(ticket)] == ["customer", "rule"]
    assert asked.answer
    assert Notice.objects.filter(user=ann).count() == 1
    assert not Notice.objects.filter(user=None).exists()


def test_come_back_when_a_watched_cancellation_has_settled_itself_then_the_request_is_closed(
    working, ann, no_first_answers
):
    asked = request_service(working.pk, user=ann, kind="cancel", now=NOW)
    Ticket.objects.update(state=State.WATCHED, waiting_since=None, comes_back_at=NOW)
    Order.objects.update(status=Status.CANCELED)

    assert thread.come_back(now=NOW) == 1

    asked.refresh_from_db()
    assert (asked.state, asked.closed_by) == ("done", None)
    assert [kind for kind, _text in said(Ticket.objects.get())] == ["customer", "event"]


def test_requests_do_not_count_towards_what_a_customer_may_ask(asked, ann):
    for number in range(10):
        open_ticket(user=ann, reason=Reason.OTHER, text=f"Question {number}", now=NOW)

    assert Ticket.objects.count() == 11


# --- Reports about goods ----------------------------------------------------------------------------------------------
def report(order, ann, lines, *, now=NOW, text="they are locked"):
    return claim_lines(order.pk, user=ann, lines=lines, reason=GoodsClaim.Reason.LOCKED, text=text, now=now)


def test_claim_lines_then_a_ticket_has_the_lines_and_none_of_what_they_say(delivered, ann):
    report(delivered, ann, [1, 2])

    ticket = Ticket.objects.get()
    assert (ticket.reason, ticket.order, ticket.state) == (Reason.NOT_WORKING, delivered, State.OPEN)
    (kind, text), (noted, evidence) = said(ticket)
    assert (kind, noted) == ("customer", "note")
    moment = f"{NOW:%Y-%m-%d %H:%M} UTC"
    assert evidence.splitlines()[0] == f"Lines 1-2: delivered {moment}, first opened {moment}"
    assert text.splitlines()[0] == "Lines: 1-2"
    assert text.splitlines()[2] == "they are locked"
    everything = "\n".join([text, evidence, *Notice.objects.values_list("body", flat=True)])
    assert not any(part in everything for line in LINES for part in line.split(":") if len(part) > 4)
    assert Notice.objects.filter(user=None).count() == 1


def test_claim_lines_again_then_the_same_ticket_goes_on(delivered, ann, sam):
    report(delivered, ann, [1])
    thread.answer(Ticket.objects.get().pk, actor=sam, text="We're looking", now=NOW)
    report(delivered, ann, [2], now=NOW + timedelta(hours=1))

    ticket = Ticket.objects.get()
    assert [kind for kind, _text in said(ticket)] == ["customer", "note", "staff", "customer", "note"]
    assert ticket.state == State.OPEN


def test_answer_claims_then_the_ticket_says_it_and_waits_while_other_lines_do(delivered, ann, sam):
    report(delivered, ann, [1, 2])
    later = NOW + timedelta(hours=1)

    answer_claims(delivered.pk, kind="refused", lines=[1], text="It works here.", actor=sam, now=later)

    ticket = Ticket.objects.get()
    assert (ticket.state, ticket.first_answer_at) == (State.OPEN, later)
    answer_claims(delivered.pk, kind="refused", lines=[2], text="This one, too.", actor=sam, now=later + timedelta(1))
    ticket.refresh_from_db()
    assert ticket.state == State.ANSWERED
    assert said(ticket)[2:] == [
        ("staff", "We can't replace or refund line 1. It works here."),
        ("staff", "We can't replace or refund line 2. This one, too."),
    ]
    # Orders have written the mails.
    assert Notice.objects.filter(user=ann, key__startswith="claim-answer:").count() == 2
    assert Notice.objects.filter(user=ann).count() == 2


# --- Two at once ------------------------------------------------------------------------------------------------------
def at_once(*acts):
    """Carry out all of these at the same moment, each on its own connection; return what became of each."""
    barrier = threading.Barrier(len(acts), timeout=30)

    def alone(act):
        try:
            barrier.wait()
            act()
        except (TicketRefused, WrongStatus) as refusal:
            return type(refusal).__name__
        finally:
            connection.close()
        return "done"

    with ThreadPoolExecutor(len(acts)) as threads:
        return sorted(threads.map(alone, acts))


@pytest.mark.django_db(transaction=True)
def test_two_of_the_staff_answer_a_request_at_once_then_one_does(asked, ann, sam, tom):
    ticket = Ticket.objects.get()

    def answering(actor, outcome):
        return lambda: thread.answer(ticket.pk, actor=actor, text="Decided", outcome=outcome, now=NOW)

    def closing(actor):
        return lambda: close_request(asked.pk, state="done", answer="Decided", actor=actor, now=NOW)

    ended = at_once(answering(sam, "done"), answering(tom, "declined"), closing(sam), closing(tom))

    assert ended.count("done") == 1
    assert Notice.objects.filter(user=ann).count() == 1
    assert [kind for kind, _text in said(ticket)] == ["customer", "event", "staff"]
    assert OrderEvent.objects.filter(code="resolved").count() == 1


@pytest.mark.django_db(transaction=True)
def test_one_form_sent_many_times_at_once_then_one_ticket_and_one_reply(ann, no_first_answers):
    first = at_once(
        *[lambda: open_ticket(user=ann, reason=Reason.OTHER, text="Hello", key="k" * 22, now=NOW) for _ in range(4)]
    )
    ticket = Ticket.objects.get()
    second = at_once(
        *[lambda: thread.write_again(ticket.pk, user=ann, text="Again", key="r" * 22, now=NOW) for _ in range(4)]
    )

    assert first == second == ["done"] * 4
    assert [text for _kind, text in said(ticket)] == ["Hello", "Again"]


@pytest.mark.django_db(transaction=True)
def test_a_request_is_closed_while_its_customer_writes_then_neither_waits_for_the_other(asked, ann, sam):
    ticket = Ticket.objects.get()
    customer_holds, closed = threading.Event(), threading.Event()

    def reply():
        with transaction.atomic():
            lock_customer(ann)
            customer_holds.set()
            closed.wait(timeout=3)  # or until whoever closes it waits for us
            say(locked(ticket.pk, user=ann), Kind.CUSTOMER, "And now?", author=ann, now=NOW)

    def close():
        customer_holds.wait(timeout=30)
        close_request(asked.pk, state="done", answer="Decided", actor=sam, now=NOW)
        closed.set()

    assert at_once(reply, close) == ["done", "done"]
    assert sorted(kind for kind, _text in said(ticket)) == ["customer", "customer", "event", "staff"]


@pytest.mark.django_db(transaction=True)
def test_the_customer_writes_while_a_watched_ticket_comes_back_then_it_opens_once(order_of, ann):
    ticket = open_ticket(user=ann, reason=Reason.SLOW, text="Slow", order=order_of(hours=1), now=NOW)
    ticket.refresh_from_db()
    later = ticket.comes_back_at

    at_once(
        lambda: thread.write_again(ticket.pk, user=ann, text="Now!", now=later),
        lambda: thread.come_back(now=later),
        lambda: thread.come_back(now=later),
    )

    ticket.refresh_from_db()
    assert (ticket.state, ticket.comes_back_at) == (State.OPEN, None)
    assert [kind for kind, _text in said(ticket)].count("event") <= 1
    assert Notice.objects.filter(user=None).count() == 1
