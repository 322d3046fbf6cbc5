"""The pages around delivered goods: how many there are, and after a press that is logged, what they are."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from orders.lifecycle.goods import keep_goods
from orders.models import DeliveredGoods, GoodsReveal, Order, Status
from tests.pages import HTMX, page_words

ONE, TWO = "rosa@example.com:<pass>", "ida@example.com|päss"
CELL = re.compile(r"<dt>(.*?)</dt>\s*<dd>(.*?)</dd>", re.DOTALL)


def cells(response) -> list[tuple[str, str]]:
    """What the page shows in columns: the name and the value of each, as they are written in it."""
    found = CELL.findall(response.content.decode())
    return [(name, (re.findall(r"<code>(.*?)</code>", value, re.DOTALL) or [""])[0]) for name, value in found]


@pytest.fixture
def delivered(paid_order):
    """A finished order of Ann's that brought two accounts."""
    Order.objects.filter(pk=paid_order.pk).update(status=Status.COMPLETED, remains=0)
    keep_goods(paid_order, [ONE, TWO], timezone.now())
    return paid_order


@pytest.fixture
def addresses(delivered):
    return [reverse("orders:goods", args=[delivered.pk]), reverse("orders:goods_file", args=[delivered.pk])]


def test_order_page_says_how_many_accounts_there_are_and_shows_none(shop, delivered):
    response = shop.get(reverse("orders:detail", args=[delivered.pk]))

    assert "2 accounts delivered" in page_words(response)
    assert 'id="goods-2" hx-preserve="true"' in response.content.decode()  # a refresh does not close what was opened
    assert "rosa" not in response.content.decode()
    assert GoodsReveal.objects.count() == 0


def test_order_page_without_goods_says_nothing_of_them(shop, paid_order):
    assert "delivered" not in page_words(shop.get(reverse("orders:detail", args=[paid_order.pk]))).lower()


def test_goods_page_when_pressed_shows_every_line_to_copy_and_notes_who_looked_from_where(shop, delivered, ann):
    response = shop.post(reverse("orders:goods", args=[delivered.pk]), REMOTE_ADDR="203.0.113.9")

    page = response.content.decode()
    # Each is written in its own way, and nobody says how: they stay whole.
    assert cells(response) == [("Whole line", "rosa@example.com:&lt;pass&gt;"), ("Whole line", TWO)]
    assert 'data-copy="rosa@example.com:&lt;pass&gt;"' in page
    assert f'data-copy="rosa@example.com:&lt;pass&gt;\n{TWO}"' in page
    assert "<html" in page
    assert "no-store" in response["Cache-Control"]
    look = GoodsReveal.objects.get()
    assert (look.goods.order_id, look.user, look.address) == (delivered.pk, ann, "203.0.113.9")


def test_goods_page_asked_by_htmx_is_the_card_alone(shop, delivered):
    response = shop.post(reverse("orders:goods", args=[delivered.pk]), headers=HTMX)

    page = response.content.decode()
    assert "<html" not in page
    # htmx would not put it in the place of the closed card if it asked to be preserved itself.
    assert page.strip().startswith('<section class="card" id="goods-2" data-goods>')
    assert "rosa@example.com" in page
    assert GoodsReveal.objects.count() == 1


def test_goods_file_is_a_line_each_and_every_download_is_noted(shop, delivered):
    url = reverse("orders:goods_file", args=[delivered.pk])

    response = shop.post(url)
    shop.post(url)

    assert response.content.decode() == f"{ONE}\n{TWO}\n"
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert response["Content-Disposition"] == f'attachment; filename="order-{delivered.pk}.txt"'
    assert "no-store" in response["Cache-Control"]
    assert GoodsReveal.objects.get().looks == 2


def test_goods_page_opened_without_a_press_leads_to_the_order_and_shows_nothing(shop, delivered, addresses):
    opened, file = (shop.get(address) for address in addresses)

    assert opened.url == reverse("orders:detail", args=[delivered.pk])
    assert file.status_code == 405
    assert GoodsReveal.objects.count() == 0


def test_goods_pages_of_somebody_else_or_a_visitor_show_nothing(client, addresses, ben):
    visits = [client.post(address).url for address in addresses]
    client.force_login(ben)

    assert visits == [f"/accounts/login/?next={address}" for address in addresses]
    assert [client.post(address).status_code for address in addresses] == [404, 404]
    assert GoodsReveal.objects.count() == 0


def test_goods_pages_of_our_own_staff_show_nothing(client, addresses, sam):
    client.force_login(sam)

    assert [client.post(address).status_code for address in addresses] == [404, 404]
    assert GoodsReveal.objects.count() == 0


def test_goods_pages_without_a_token_show_nothing(addresses, ann):
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ann)

    assert [browser.post(address).status_code for address in addresses] == [403, 403]


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_goods_page_when_there_are_none_leads_back_and_says_so(shop, paid_order, headers):
    response = shop.post(reverse("orders:goods", args=[paid_order.pk]), headers=headers)

    where = reverse("orders:detail", args=[paid_order.pk])
    assert response.get("HX-Redirect", response.get("Location")) == where
    assert "Nothing has been delivered yet." in page_words(shop.get(where))


def test_goods_page_when_the_key_is_gone_says_that_nothing_is_lost(shop, delivered):
    DeliveredGoods.objects.update(encrypted="damaged")

    response = shop.post(reverse("orders:goods", args=[delivered.pk]), follow=True)

    assert "Your goods can't be opened right now. They are not lost: please write to us." in page_words(response)


@pytest.mark.parametrize("count", [1, 3])
def test_goods_page_when_there_are_more_accounts_then_the_queries_stay(
    shop, paid_order, count, django_assert_num_queries
):
    keep_goods(paid_order, [f"{n}@example.com:pass" for n in range(count)], timezone.now())

    shop.post(reverse("orders:goods", args=[paid_order.pk]))  # the first look is told of by mail
    GoodsReveal.objects.all().delete()

    # Session, user, order with goods, goods, the first look of the day in three and a savepoint, staff's formats,
    # reports, the wallet in the header.
    with django_assert_num_queries(12):
        shop.post(reverse("orders:goods", args=[paid_order.pk]))
