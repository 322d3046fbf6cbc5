"""The buttons below an order: cancel it unsent, ask for a refill or a cancel, order it again."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog.models import Service
from orders.lifecycle.service_requests import close_request, request_service
from orders.models import (
    Order,
    ServiceRequest,
    Status,
)
from tests.pages import hidden, page_words
from wallet.models import Wallet


def balance(user) -> int:
    return Wallet.objects.get(user=user).balance_micros


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
    request_service(working.pk, user=ann, kind=ServiceRequest.Kind.CANCEL, now=timezone.now())
    Order.objects.filter(pk=working.pk).update(status=Status.COMPLETED)

    text = page_words(shop.get(reverse("orders:detail", args=[working.pk])))

    assert "The order was finished before we could answer." in text


def test_request_pages_when_the_order_is_somebody_elses_or_nobody_is_signed_in_then_nothing_happens(
    client, paid_order, ben
):
    addresses = [reverse("orders:cancel", args=[paid_order.pk]), reverse("orders:ask", args=[paid_order.pk, "refill"])]

    visits = [client.post(address) for address in addresses]
    client.force_login(ben)

    assert [visit.url for visit in visits] == [f"/accounts/login/?next={address}" for address in addresses]
    assert [client.post(address).status_code for address in addresses] == [404, 404]
    assert [client.get(address).status_code for address in addresses] == [405, 405]
    assert Order.objects.get().status == Status.PAID


def test_request_pages_when_the_token_is_missing_then_they_refuse(paid_order, ann):
    from django.test import Client

    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ann)

    assert browser.post(reverse("orders:cancel", args=[paid_order.pk])).status_code == 403
    assert Order.objects.get().status == Status.PAID


@pytest.mark.parametrize("count", [1, 3])
def test_order_page_when_there_are_more_requests_then_the_queries_stay(
    shop, finished, ann, sam, count, django_assert_num_queries
):
    for number in range(count):
        now = timezone.now() - timedelta(days=2 * (count - number))  # within a day, a rule would answer the next one
        asked = request_service(finished.pk, user=ann, kind=ServiceRequest.Kind.REFILL, now=now)
        close_request(asked.pk, state=ServiceRequest.State.DONE, answer="", actor=sam, now=now)

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
