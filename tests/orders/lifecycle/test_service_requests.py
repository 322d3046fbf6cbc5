"""What a customer may still want of an order: cancel it unsent, ask for a refill or a cancel, order it again."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

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
from tests.pages import hidden, page_words
from tests.storefront.admin_rows import make_order
from wallet.models import LedgerEntry, Wallet

State, RequestKind = ServiceRequest.State, ServiceRequest.Kind
SUBMITTED = {"_form_submitted": "True"}


def balance(user) -> int:
    return Wallet.objects.get(user=user).balance_micros


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


def test_request_service_when_it_is_open_already_then_there_is_still_one_and_staff_hears_once(finished, ann):
    request_service(finished.pk, user=ann, kind=RequestKind.REFILL, now=timezone.now())

    with pytest.raises(RequestRefused, match="already sent this request"):
        request_service(finished.pk, user=ann, kind=RequestKind.REFILL, now=timezone.now())

    asked = ServiceRequest.objects.get()
    assert (asked.kind, asked.state) == (RequestKind.REFILL, State.OPEN)
    notice = Notice.objects.get(user=None)
    assert notice.subject == f"Order #{finished.pk}: refill requested"
    assert reverse("admin:orders_servicerequest_change", args=[asked.pk]) in notice.body


def test_request_service_when_the_last_one_was_answered_then_it_can_be_asked_again(finished, ann, sam):
    first = request_service(finished.pk, user=ann, kind=RequestKind.REFILL, now=timezone.now())
    close_request(first.pk, state=State.DONE, answer="", actor=sam, now=timezone.now())

    second = request_service(finished.pk, user=ann, kind=RequestKind.REFILL, now=timezone.now())

    assert list(finished.requests.values_list("pk", "state")) == [(second.pk, "open"), (first.pk, "done")]


def test_close_request_when_staff_answers_then_the_customer_reads_it_and_is_mailed(shop, finished, ann, sam):
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
    mail = Notice.objects.get(user=ann, key=f"request:{asked.pk}:declined")
    assert "A refill isn't possible. The count has not dropped." in mail.body


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


def test_cancel_page_when_pressed_then_the_order_says_that_the_money_is_back(shop, paid_order):
    order_page = page_words(shop.get(reverse("orders:detail", args=[paid_order.pk])))

    answer = shop.post(reverse("orders:cancel", args=[paid_order.pk]), follow=True)

    assert "Cancel it and get $1.875 back at once?" in order_page
    text = page_words(answer)
    assert "Canceled. $1.875 has been refunded to your balance." in text
    assert "Canceled By you, before it was sent." in text
    assert "Cancel this order" not in text


@pytest.mark.parametrize(
    ("status", "text"),
    [
        (Status.PENDING, "The order is already being sent, so it was not canceled."),
        (Status.COMPLETED, "This order is already finished, so there was nothing to cancel."),
    ],
)
def test_cancel_page_when_it_is_too_late_then_it_says_so(shop, paid_order, status, text):
    Order.objects.filter(pk=paid_order.pk).update(status=status)

    answer = shop.post(reverse("orders:cancel", args=[paid_order.pk]), follow=True)

    assert text in page_words(answer)
    assert Order.objects.get().status == status


def test_ask_page_when_pressed_then_the_order_shows_the_request_and_no_button_any_more(shop, working):
    order_page = page_words(shop.get(reverse("orders:detail", args=[working.pk])))

    answer = shop.post(reverse("orders:ask", args=[working.pk, "cancel"]), follow=True)

    assert "Request cancellation" in order_page
    text = page_words(answer)
    assert "We have received your cancellation request. The answer will appear on this page." in text
    assert "Cancel Open Our team will look at it and answer here." in text
    assert "Request cancellation" not in text
    assert "You requested cancellation" in text


@pytest.mark.parametrize("kind", ["refill", "nonsense"])
def test_ask_page_when_it_does_not_fit_then_it_says_so(shop, working, kind):
    answer = shop.post(reverse("orders:ask", args=[working.pk, kind]), follow=True)

    assert "This order can" in page_words(answer)
    assert ServiceRequest.objects.count() == 0


def test_order_page_when_it_finished_before_the_answer_then_it_says_so(shop, working, ann):
    request_service(working.pk, user=ann, kind=RequestKind.CANCEL, now=timezone.now())
    Order.objects.filter(pk=working.pk).update(status=Status.COMPLETED)

    text = page_words(shop.get(reverse("orders:detail", args=[working.pk])))

    assert "The order was finished before we could answer." in text


def test_wish_pages_when_the_order_is_somebody_elses_or_nobody_is_signed_in_then_nothing_happens(
    client, paid_order, ben
):
    addresses = [reverse("orders:cancel", args=[paid_order.pk]), reverse("orders:ask", args=[paid_order.pk, "refill"])]

    visits = [client.post(address) for address in addresses]
    client.force_login(ben)

    assert [visit.url for visit in visits] == [f"/accounts/login/?next={address}" for address in addresses]
    assert [client.post(address).status_code for address in addresses] == [404, 404]
    assert [client.get(address).status_code for address in addresses] == [405, 405]
    assert Order.objects.get().status == Status.PAID


def test_wish_pages_when_the_token_is_missing_then_they_refuse(paid_order, ann):
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ann)

    assert browser.post(reverse("orders:cancel", args=[paid_order.pk])).status_code == 403
    assert Order.objects.get().status == Status.PAID


@pytest.mark.parametrize("count", [1, 3])
def test_order_page_when_there_are_more_requests_then_the_queries_stay(
    shop, finished, ann, sam, count, django_assert_num_queries
):
    for _number in range(count):
        asked = request_service(finished.pk, user=ann, kind=RequestKind.REFILL, now=timezone.now())
        close_request(asked.pk, state=State.DONE, answer="", actor=sam, now=timezone.now())

    with django_assert_num_queries(6):  # session, user, order, events, requests, the wallet in the header
        shop.get(reverse("orders:detail", args=[finished.pk]))


def test_order_again_when_it_is_ones_own_then_the_form_holds_what_the_old_order_had(shop, place, service):
    order = place(quantity=700, link="https://instagram.com/ann/p/1")

    page = shop.get(f"{reverse('orders:place', args=[service.pk])}?again={order.pk}")

    assert hidden(page, "quantity") == "700"
    assert hidden(page, "link") == "https://instagram.com/ann/p/1"
    assert "Total for 700 $1.3125" in page_words(page)
    link = f"/order/{service.pk}/?again={order.pk}"
    assert f'href="{link}"' in shop.get(reverse("orders:detail", args=[order.pk])).content.decode()


def test_order_again_with_comments_holds_the_comments(shop, place, service):
    Service.objects.filter(pk=service.pk).update(type="Custom Comments", min_quantity=1)
    order = place(quantity=None, comments="Lovely!\nMore <of> this")

    page = shop.get(f"{reverse('orders:place', args=[service.pk])}?again={order.pk}")

    assert "Lovely!\nMore &lt;of&gt; this</textarea>" in page.content.decode()
    assert "Total for 2" in page_words(page)


@pytest.mark.parametrize("again", ["{foreign}", "999999", "x", "", "9" * 40])
def test_order_again_when_it_is_not_an_own_order_of_the_service_then_it_is_not_found(shop, place, service, ben, again):
    foreign = place(user=ben, link="https://instagram.com/secret")

    page = shop.get(f"{reverse('orders:place', args=[service.pk])}", {"again": again.format(foreign=foreign.pk)})

    assert page.status_code == 404


def test_order_again_for_a_visitor_shows_an_empty_form(client, place, service):
    page = client.get(f"{reverse('orders:place', args=[service.pk])}?again={place().pk}")

    assert page.status_code == 200
    assert "Total depends on the quantity" in page_words(page)


def test_request_at_the_admin_when_staff_presses_a_button_then_it_is_answered(client, finished, ann, sam):
    asked = request_service(finished.pk, user=ann, kind=RequestKind.REFILL, now=timezone.now())
    client.force_login(sam)
    page = client.get(reverse("admin:orders_servicerequest_change", args=[asked.pk]))

    empty = client.post(reverse("admin:orders_servicerequest_decline", args=[asked.pk]), SUBMITTED)
    done = client.post(
        reverse("admin:orders_servicerequest_done", args=[asked.pk]), {**SUBMITTED, "answer": "On Monday"}, follow=True
    )
    late = client.post(
        reverse("admin:orders_servicerequest_decline", args=[asked.pk]), {**SUBMITTED, "answer": "No"}, follow=True
    )

    asked.refresh_from_db()
    assert [button["path"].rsplit("/", 2)[-2] for button in page.context["actions_detail"]] == ["done", "decline"]
    assert list(empty.context["form"].errors) == ["answer"]
    assert (asked.state, asked.answer, asked.closed_by) == (State.DONE, "On Monday", sam)
    assert [str(text) for text in done.context["messages"]] == ["The request is done. The customer can see it."]
    assert [str(text) for text in late.context["messages"]] == [
        "A colleague has already answered this request. Nothing was changed."
    ]


def test_request_at_the_admin_when_the_clerk_may_only_look_then_no_button_works(client, finished, ann):
    from django.contrib.auth.models import Permission

    from accounts.models import User

    asked = request_service(finished.pk, user=ann, kind=RequestKind.REFILL, now=timezone.now())
    clerk = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    clerk.user_permissions.add(Permission.objects.get(codename="view_servicerequest"))
    client.force_login(clerk)

    client.post(reverse("admin:orders_servicerequest_done", args=[asked.pk]), SUBMITTED)

    assert ServiceRequest.objects.get().state == State.OPEN
