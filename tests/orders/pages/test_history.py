"""The pages of one's orders: who sees what, and what htmx gets."""

import re

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog.models import Service
from catalog.operations.overrides import refresh_search_text
from orders.lifecycle.attention import clear_flags
from orders.lifecycle.refunds import partial_refund_micros, refund_up_to
from orders.lifecycle.transitions import Change, write_events
from orders.models import HoldReason, Order, OrderEvent, RefundReason, Status
from tests.orders.attention import Flag, flag
from tests.pages import HTMX, page_words

LINK = "https://instagram.com/ann"


def rows(response) -> list[int]:
    return [int(number) for number in re.findall(r'<a href="/orders/(\d+)/">', response.content.decode())]


def test_list_shows_ones_own_orders_newest_first(shop, place, ben):
    mine = [place(link=f"{LINK}{number}") for number in range(3)]
    place(user=ben)

    assert rows(shop.get(reverse("orders:list"))) == [order.pk for order in reversed(mine)]


def test_list_narrows_by_group_and_by_words(shop, place, service):
    opened, completed, refunded = place(link=f"{LINK}/a"), place(link=f"{LINK}/b"), place(link="https://x.com/c")
    Order.objects.filter(pk=completed.pk).update(status=Status.COMPLETED)
    Order.objects.filter(pk=refunded.pk).update(status=Status.CANCELED, refunded_micros=1_875_000)
    url = reverse("orders:list")

    assert rows(shop.get(url, {"group": "open"})) == [opened.pk]
    assert rows(shop.get(url, {"group": "finished"})) == [refunded.pk, completed.pk]
    assert rows(shop.get(url, {"group": "refunded"})) == [refunded.pk]
    assert rows(shop.get(url, {"q": "instagram.com/ann/b FOLLOWERS"})) == [completed.pk]
    assert rows(shop.get(url, {"q": f"#{opened.pk}"})) == [opened.pk]
    assert rows(shop.get(url, {"q": "x.com", "group": "open"})) == []
    assert rows(shop.get(url, {"group": "nonsense"})) == [refunded.pk, completed.pk, opened.pk]


@pytest.mark.parametrize(
    "typed", ["https://a.example/re\u0301els", "https://a.example/r\u00e9els", "re\u0301els%E2%80%8B"]
)
def test_list_finds_a_link_however_its_letters_are_composed(shop, place, typed):
    order = place(link="https://a.example/re\u0301els")

    assert rows(shop.get(reverse("orders:list"), {"q": typed})) == [order.pk]


def test_list_pages_keep_the_filter(shop, paid_order):
    oldest = paid_order.pk
    paid_order.checkout = None
    for _number in range(25):  # a page holds 25
        paid_order.pk = None
        paid_order.save(force_insert=True)

    first = shop.get(reverse("orders:list"), {"q": "instagram"})
    second = shop.get(reverse("orders:list"), {"q": "instagram", "page": "2"})

    assert rows(second) == [oldest]
    assert 'href="?q=instagram&amp;page=2"' in first.content.decode()


def test_list_asks_again_only_while_one_of_its_orders_is_open(shop, paid_order):
    moving = shop.get(reverse("orders:list")).content.decode()
    Order.objects.filter(pk=paid_order.pk).update(status=Status.COMPLETED)
    settled = shop.get(reverse("orders:list")).content.decode()

    assert 'hx-trigger="every 5s"' in moving
    assert 'hx-trigger="every 5s"' not in settled


def seen(response) -> str:
    return re.search(r'"seen": "(\w+)"', response.content.decode())[1]


def test_list_asked_by_htmx_answers_with_rows_or_with_nothing_new(shop, paid_order):
    url = reverse("orders:list")
    before = seen(shop.get(url))

    same = shop.get(url, {"seen": before}, headers=HTMX)
    Order.objects.filter(pk=paid_order.pk).update(status=Status.IN_PROGRESS)
    changed = shop.get(url, {"seen": before}, headers=HTMX)

    assert (same.status_code, same.content) == (204, b"")
    assert rows(changed) == [paid_order.pk]
    assert "<html" not in changed.content.decode()
    assert before not in changed.content.decode()


def test_list_restored_from_history_is_a_whole_page(shop, paid_order):
    response = shop.get(reverse("orders:list"), headers={**HTMX, "HX-History-Restore-Request": "true"})

    assert "<html" in response.content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_list_needs_the_same_queries_for_any_number_of_orders(shop, place, count, django_assert_num_queries):
    for number in range(count):
        place(link=f"{LINK}{number}")

    with django_assert_num_queries(5):  # session, user, count, orders, the wallet in the header
        shop.get(reverse("orders:list"))


@pytest.mark.parametrize("name", ["orders:list", "orders:detail"])
def test_pages_of_orders_send_a_visitor_to_sign_in_and_reload_what_htmx_asks(client, paid_order, name):
    url = reverse(name, args=[paid_order.pk] if name == "orders:detail" else [])

    page, part = client.get(url), client.get(url, headers=HTMX)

    assert page.url == f"/accounts/login/?next={url}"
    assert part["HX-Refresh"] == "true"
    assert part.content == b""


def test_detail_of_somebody_elses_order_is_not_found(client, paid_order, ben):
    client.force_login(ben)

    assert client.get(reverse("orders:detail", args=[paid_order.pk])).status_code == 404


def test_detail_shows_progress_and_what_happened_but_not_what_is_for_staff(shop, paid_order):
    Order.objects.filter(pk=paid_order.pk).update(status=Status.IN_PROGRESS, remains=400, start_count=1523)
    note = Change(paid_order.pk, {}, {"reason": "secret reason"})
    write_events([note], code=OrderEvent.Code.ATTENTION, status=Status.IN_PROGRESS, now=timezone.now())
    write_events([note], code=OrderEvent.Code.PROGRESS, status=Status.IN_PROGRESS, now=timezone.now())

    text = page_words(shop.get(reverse("orders:detail", args=[paid_order.pk])))

    assert "Delivered 600 of 1,000" in text
    assert "Start count 1,523" in text
    assert "Ordered and paid $1.875 paid from your balance." in text
    assert "Work has started" in text
    assert "Passed to our team" not in text
    assert "secret reason" not in text


def test_detail_does_the_sum_of_a_partial_refund(shop, paid_order):
    Order.objects.filter(pk=paid_order.pk).update(status=Status.PARTIAL, remains=420)
    paid_order.refresh_from_db()
    refund_up_to(
        paid_order,
        partial_refund_micros(1_875_000, 1000, 420),
        why=RefundReason.PARTIAL,
        now=timezone.now(),
        remains=420,
    )

    text = page_words(shop.get(reverse("orders:detail", args=[paid_order.pk])))

    assert "$1.875 × 420 not delivered ÷ 1,000 ordered: $0.7875 refunded to your balance." in text
    assert "Refunded −$0.7875 You paid $1.0875" in text


def test_detail_of_a_second_partial_refund_says_that_there_was_a_first(shop, paid_order):
    Order.objects.filter(pk=paid_order.pk).update(status=Status.PARTIAL, remains=500)
    paid_order.refresh_from_db()
    for remains in (420, 500):
        due = partial_refund_micros(1_875_000, 1000, remains)
        refund_up_to(paid_order, due, why=RefundReason.PARTIAL, now=timezone.now(), remains=remains)

    text = page_words(shop.get(reverse("orders:detail", args=[paid_order.pk])))

    assert "÷ 1,000 ordered, less earlier refunds: $0.15 refunded to your balance." in text


def test_detail_asks_again_until_the_order_is_finished(shop, paid_order):
    url = reverse("orders:detail", args=[paid_order.pk])
    before = seen(shop.get(url))

    same = shop.get(url, {"seen": before}, headers=HTMX)
    Order.objects.filter(pk=paid_order.pk).update(status=Status.COMPLETED, remains=0)
    changed = shop.get(url, {"seen": before}, headers=HTMX)

    assert same.status_code == 204
    assert "Everything has been delivered." in page_words(changed)
    assert "hx-trigger" not in changed.content.decode()
    assert "<html" not in changed.content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_detail_needs_the_same_queries_for_any_number_of_events(shop, paid_order, count, django_assert_num_queries):
    for _number in range(count):
        write_events([Change(paid_order.pk)], code=OrderEvent.Code.NOT_SENT, status=Status.PAID, now=timezone.now())

    with django_assert_num_queries(6):  # session, user, order, events, requests, the wallet in the header
        shop.get(reverse("orders:detail", args=[paid_order.pk]))


def test_list_finds_an_order_by_what_one_sees_of_its_title_and_link(shop, place, service):
    Service.objects.filter(pk=service.pk).update(name="𝗜𝗻𝘀𝘁𝗮𝗴𝗿𝗮𝗺 Réels")
    service.refresh_from_db()
    refresh_search_text(Service.objects.all())
    order = place(link=f"{LINK}/x")

    for words in ("instagram", "REELS insta", "insta\u200bgram", "ann\u200b/x", f"#{order.pk}\ufeff"):
        assert rows(shop.get(reverse("orders:list"), {"q": words})) == [order.pk], words
    assert rows(shop.get(reverse("orders:list"), {"q": "telegram"})) == []


def test_detail_of_an_order_that_waits_for_staff_says_that_it_takes_longer_and_no_more(shop, paid_order):
    url = reverse("orders:detail", args=[paid_order.pk])
    Order.objects.filter(pk=paid_order.pk).update(status=Status.PENDING, upstream_id="77")
    before = seen(shop.get(url))

    flag(paid_order, Flag.NOT_FOUND, id="77")

    page = shop.get(url, {"seen": before}, headers=HTMX)
    assert "This takes longer than usual, and our team is looking into it. Nothing is lost" in page_words(page)
    assert "Takes longer than usual Our team is looking into it." in page_words(page)
    assert "not found" not in page_words(page).lower()
    assert "77" not in page_words(page)
    clear_flags([paid_order.pk], now=timezone.now())
    assert "longer than usual" not in page_words(shop.get(url))


def test_detail_when_staff_looks_at_money_alone_says_nothing_of_it(shop, paid_order):
    flag(paid_order, Flag.OVERCHARGED)

    assert "longer than usual" not in page_words(shop.get(reverse("orders:detail", args=[paid_order.pk])))


def test_detail_of_a_held_order_says_that_nothing_is_lost(shop, paid_order):
    Order.objects.filter(pk=paid_order.pk).update(held_because=HoldReason.LOSS)
    flag(paid_order, Flag.SOLD_AT_A_LOSS)

    text = page_words(shop.get(reverse("orders:detail", args=[paid_order.pk])))

    assert "Sending takes longer than usual; until then, you can cancel the order. Nothing is lost." in text
    assert "loss" not in text


def test_detail_when_the_goods_are_late_does_not_claim_that_all_is_delivered(shop, paid_order):
    Order.objects.filter(pk=paid_order.pk).update(status=Status.COMPLETED, remains=0)
    flag(paid_order, Flag.NO_GOODS)

    text = page_words(shop.get(reverse("orders:detail", args=[paid_order.pk])))

    assert "Completed, but your goods are late." in text
    assert "Everything has been delivered" not in text


@pytest.mark.parametrize("code", [Flag.UNKNOWN_WORD, Flag.NO_REMAINS, Flag.NOT_FOUND])
def test_detail_of_a_completed_order_does_not_wait_for_what_delayed_it_before(shop, paid_order, code):
    Order.objects.filter(pk=paid_order.pk).update(status=Status.COMPLETED, remains=0)
    flag(paid_order, code)  # staff has not looked yet

    text = page_words(shop.get(reverse("orders:detail", args=[paid_order.pk])))

    assert "Everything has been delivered" in text
    assert "your goods are late" not in text
    assert "longer than usual" not in text
