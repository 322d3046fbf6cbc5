"""What a customer may still want of an order: cancel it unsent, ask for a refill or a cancel, order it again."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from catalog.models import Service
from notifications.models import Notice
from orders.accounting.audit import audit
from orders.fulfilment.forward import forward_order
from orders.lifecycle.service_requests import RequestRefused, cancel_unsent, close_request, request_service
from orders.lifecycle.transitions import WrongStatus
from orders.models import (
    HoldReason,
    Kind,
    Order,
    OrderEvent,
    ServiceRequest,
    Status,
)
from sms.models import Country, Number, Project
from tests.orders.attention import Flag, flag, flags_of, said_of
from tests.pages import page_words
from tests.storefront.admin_rows import make_order
from wallet.models import LedgerEntry, Wallet

State, RequestKind = ServiceRequest.State, ServiceRequest.Kind
SUBMITTED = {"_form_submitted": "True"}


def balance(user) -> int:
    return Wallet.objects.get(user=user).balance_micros


def test_cancel_unsent_when_it_waits_then_all_money_is_back_at_once(paid_order, ann):
    cancel_unsent(paid_order.pk, user=ann, now=timezone.now())

    paid_order.refresh_from_db()
    assert (paid_order.status, paid_order.refunded_micros) == (Status.CANCELED, 1_875_000)
    assert paid_order.finished_at is not None
    assert balance(ann) == 100_000_000
    codes = list(paid_order.events.values_list("code", "actor"))
    assert codes == [("placed", None), ("canceled", ann.pk), ("refunded", ann.pk)]
    assert audit(client=None, now=timezone.now()).problems == []


def test_cancel_unsent_when_it_is_held_then_nothing_of_the_hold_stays(paid_order, ann):
    details = {"cost_micros": 2_000_000, "paid_micros": 1_875_000}
    Order.objects.filter(pk=paid_order.pk).update(held_because=HoldReason.LOSS, held_details=details)
    flag(paid_order, Flag.SOLD_AT_A_LOSS, **details)

    cancel_unsent(paid_order.pk, user=ann, now=timezone.now())

    paid_order.refresh_from_db()
    assert (paid_order.status, paid_order.held_because, flags_of(paid_order)) == (Status.CANCELED, "", [])


def test_cancel_unsent_when_it_was_flagged_for_something_else_then_the_flag_stays(paid_order, ann):
    flag(paid_order, Flag.LATE_ANSWER, upstream_ids=["9"])

    cancel_unsent(paid_order.pk, user=ann, now=timezone.now())

    paid_order.refresh_from_db()
    assert said_of(paid_order) == "Upstream placed order 9 after this order was settled"


@pytest.mark.parametrize("status", [status for status in Status if status != Status.PAID])
def test_cancel_unsent_when_it_is_not_waiting_then_nothing_changes(service, ann, status):
    extra = {"claim_token": "00000000-0000-4000-8000-000000000001", "claim_deadline": "2030-01-01T00:00:00Z"}
    order = make_order(ann, service=service, status=status, **(extra if status == Status.SENDING else {}))

    with pytest.raises(WrongStatus):
        cancel_unsent(order.pk, user=ann, now=timezone.now())

    order.refresh_from_db()
    assert (order.status, order.refunded_micros) == (status, 0)


def test_cancel_unsent_when_it_is_somebody_elses_then_it_is_not_found(paid_order, ben):
    with pytest.raises(Order.DoesNotExist):
        cancel_unsent(paid_order.pk, user=ben, now=timezone.now())

    assert Order.objects.get().status == Status.PAID


def test_cancel_unsent_of_a_number_then_the_number_is_canceled_too(ann):
    project = Project.objects.create(
        upstream_id="p", country=Country.objects.create(code="us", name="USA"), name="X", price_upstream_micros=1
    )
    order = make_order(ann, kind=Kind.NUMBER)
    Number.objects.create(order=order, project=project)

    cancel_unsent(order.pk, user=ann, now=timezone.now())

    assert Number.objects.get().state == Number.State.CANCELED
    assert Order.objects.get().status == Status.CANCELED


@pytest.mark.django_db(transaction=True)
def test_cancel_unsent_when_a_sender_claims_at_the_same_moment_then_exactly_one_wins(
    place, ann, client_upstream, sandbox
):
    """Ten rounds: either the money is back and upstream has nothing, or upstream has it and it is paid."""
    orders = [place(link=f"https://instagram.com/ann{number}") for number in range(10)]
    barrier = threading.Barrier(2, timeout=30)

    def alone(act) -> list[bool]:
        try:
            return [act(order) for order in orders]
        finally:
            connection.close()

    def cancel(order) -> bool:
        barrier.wait()
        time.sleep(orders.index(order) / 500)  # a sender has to ask a few things before it claims
        try:
            cancel_unsent(order.pk, user=ann, now=timezone.now())
        except WrongStatus:
            return False
        return True

    def send(order) -> bool:
        barrier.wait()
        return forward_order(order.pk, client=client_upstream, clock=timezone.now)

    with ThreadPoolExecutor(2) as threads:
        canceled, sent = threads.map(alone, (cancel, send))

    assert [one != other for one, other in zip(canceled, sent, strict=True)] == [True] * len(orders)
    links = {order["link"] for order in sandbox.orders}
    for order, was_canceled in zip(orders, canceled, strict=True):
        order.refresh_from_db()
        expected = (Status.CANCELED, 1_875_000, False) if was_canceled else (Status.PENDING, 0, True)
        assert (order.status, order.refunded_micros, order.link in links) == expected
    assert balance(ann) == 100_000_000 - 1_875_000 * sent.count(True)


@pytest.mark.django_db(transaction=True)
def test_cancel_unsent_when_it_is_pressed_many_times_at_once_then_it_is_refunded_once(paid_order, ann):
    def press(_number: int) -> bool:
        try:
            cancel_unsent(paid_order.pk, user=ann, now=timezone.now())
        except WrongStatus:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(6) as threads:
        done = list(threads.map(press, range(6)))

    assert done.count(True) == 1
    assert balance(ann) == 100_000_000
    assert LedgerEntry.objects.filter(kind=LedgerEntry.Kind.REFUND).count() == 1


@pytest.mark.parametrize("status", Status)
@pytest.mark.parametrize("kind", RequestKind)
def test_request_service_when_the_status_fits_then_it_is_asked_and_else_refused(refillable, ann, status, kind):
    extra = {"claim_token": "00000000-0000-4000-8000-000000000001", "claim_deadline": "2030-01-01T00:00:00Z"}
    order = make_order(ann, service=refillable, status=status, **(extra if status == Status.SENDING else {}))
    fits = {
        RequestKind.REFILL: (Status.COMPLETED, Status.PARTIAL),
        RequestKind.CANCEL: (Status.PENDING, Status.IN_PROGRESS),
    }

    try:
        request_service(order.pk, user=ann, kind=kind, now=timezone.now())
    except RequestRefused:
        assert status not in fits[kind]
    else:
        assert status in fits[kind]

    assert ServiceRequest.objects.count() == (status in fits[kind])


def test_request_service_when_the_service_does_not_allow_it_then_it_is_refused(working, finished, ann):
    Service.objects.update(refill=False, cancel=False)

    with pytest.raises(RequestRefused):
        request_service(finished.pk, user=ann, kind=RequestKind.REFILL, now=timezone.now())
    Order.objects.update(status=Status.PENDING)
    with pytest.raises(RequestRefused):
        request_service(finished.pk, user=ann, kind=RequestKind.CANCEL, now=timezone.now())

    assert ServiceRequest.objects.count() == 0


def test_request_service_when_it_is_open_already_then_there_is_still_one_and_staff_hears_once(
    finished, ann, no_first_answers
):
    request_service(finished.pk, user=ann, kind=RequestKind.REFILL, now=timezone.now())

    with pytest.raises(RequestRefused, match="already sent this request"):
        request_service(finished.pk, user=ann, kind=RequestKind.REFILL, now=timezone.now())

    asked = ServiceRequest.objects.get()
    assert (asked.kind, asked.state) == (RequestKind.REFILL, State.OPEN)
    notice = Notice.objects.get(user=None)
    assert notice.subject == f"Ticket #{asked.ticket.pk}: Refill"
    assert f"/admin/support/ticket/{asked.ticket.pk}/change/" in notice.body


def test_request_service_when_the_last_one_was_answered_then_it_can_be_asked_again(
    finished, ann, sam, no_first_answers
):
    first = request_service(finished.pk, user=ann, kind=RequestKind.REFILL, now=timezone.now())
    close_request(first.pk, state=State.DONE, answer="", actor=sam, now=timezone.now())

    second = request_service(finished.pk, user=ann, kind=RequestKind.REFILL, now=timezone.now())

    assert list(finished.requests.values_list("pk", "state")) == [(second.pk, "open"), (first.pk, "done")]


def test_request_service_when_a_rule_declines_each_then_a_program_gets_five_answers_a_day(finished, ann):
    now = timezone.now()
    before = now - timedelta(days=2)
    ServiceRequest.objects.create(
        order=finished, kind="refill", state="done", created_at=before, closed_at=now - timedelta(hours=1)
    )
    refused = []
    for _time in range(20):
        try:
            asked = request_service(finished.pk, user=ann, kind=RequestKind.REFILL, now=now)
        except RequestRefused as refusal:
            refused.append(str(refusal))
        else:
            assert asked.state == State.DECLINED

    assert (ServiceRequest.objects.count(), len(refused)) == (1 + 5, 15)
    assert set(refused) == {"You have asked for this 5 times within a day. Please write to us instead."}
    assert Notice.objects.filter(user=ann).count() == 5
    request_service(finished.pk, user=ann, kind=RequestKind.REFILL, now=now + timedelta(days=1, minutes=1))


def test_close_request_when_staff_answers_then_the_customer_reads_it_and_is_mailed(
    shop, finished, ann, sam, no_first_answers
):
    asked = request_service(finished.pk, user=ann, kind=RequestKind.REFILL, now=timezone.now())

    close_request(asked.pk, state=State.DECLINED, answer="The count has not dropped.", actor=sam, now=timezone.now())

    asked.refresh_from_db()
    assert (asked.state, asked.closed_by) == (State.DECLINED, sam)
    event = finished.events.get(code=OrderEvent.Code.RESOLVED)
    assert (event.actor, event.status) == (sam, Status.COMPLETED)
    text = page_words(shop.get(reverse("orders:detail", args=[finished.pk])))
    assert "Refill Declined The count has not dropped." in text
    assert "You requested a refill" in text
    assert "Settled by support A refill isn't possible. The count has not dropped." in text
    mail = Notice.objects.get(user=ann)
    assert mail.body.startswith("A refill isn't possible.\n\nThe count has not dropped.")


def test_close_request_when_it_is_closed_then_the_first_answer_stands(finished, ann, sam):
    asked = request_service(finished.pk, user=ann, kind=RequestKind.REFILL, now=timezone.now())
    close_request(asked.pk, state=State.DONE, answer="Running", actor=sam, now=timezone.now())

    with pytest.raises(WrongStatus):
        close_request(asked.pk, state=State.DECLINED, answer="No", actor=sam, now=timezone.now())

    asked.refresh_from_db()
    assert (asked.state, asked.answer) == (State.DONE, "Running")


@pytest.mark.parametrize(("state", "answer"), [(State.OPEN, "x"), (State.DECLINED, "  ")])
def test_close_request_when_nothing_is_decided_or_said_then_it_stays_open(finished, ann, sam, state, answer):
    asked = request_service(finished.pk, user=ann, kind=RequestKind.REFILL, now=timezone.now())

    with pytest.raises(ValueError, match="closes no request"):
        close_request(asked.pk, state=state, answer=answer, actor=sam, now=timezone.now())

    assert ServiceRequest.objects.get().state == State.OPEN
