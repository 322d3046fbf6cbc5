"""Quick order over HTTP: choosing, ordering, many links, what is remembered, and the same without script."""

import re
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from catalog.models import Category, Delivery, Service, ServiceQuality
from catalog.words.vocabulary import learn_words
from orders.models import Order
from tests.catalog.listing_rows import put_on_sale
from tests.pages import HTMX, error_beside, hidden, page_words, words
from tests.storefront.admin_rows import make_order

LINK = "https://instagram.com/ann"
TEN = [f"https://instagram.com/ann{number}" for number in range(10)]


def quick(**query: object) -> str:
    return reverse("orders:quick", query=query)


def send(shop: Client, service: Service, **typed: object) -> object:
    """Fill in the form of the page as a browser does, and send it to where it leads."""
    page = shop.get(quick(service=service.pk))
    action = unescape(re.search(r'id="order-form"[^>]*action="([^"]*)"', page.content.decode())[1])
    form = {"quantity": "1000", "link": LINK, "request_id": hidden(page, "request_id"), **typed}
    return shop.post(action, {"quote": quoted(shop, service, form["quantity"]), **form})


def quoted(shop: Client, service: Service, quantity: object) -> str:
    """The signed price that the page shows once this quantity is typed."""
    part = shop.get(reverse("orders:place", args=[service.pk]), {"quantity": quantity}, headers=HTMX)
    return hidden(part, "quote")


def option_names(page) -> list[str]:
    found = re.findall(r'role="option".*?pick__name">(.*?)</span>', page.content.decode(), re.DOTALL)
    return [words(name) for name in found]


def test_quick_without_a_choice_says_what_to_do_to_everybody(client, service):
    page = client.get(quick())

    assert "Choose a service: its price and its order form appear here." in page_words(page)
    assert "csrfmiddlewaretoken" not in page.content.decode()


def test_quick_with_a_service_shows_its_form_the_link_first(shop, service):
    page = shop.get(quick(service=service.pk))

    body = page.content.decode()
    assert service.short_name in page_words(page)
    assert 0 < body.index('name="link"') < body.index('name="quantity"')


def test_quick_part_for_htmx_is_the_chosen_service_alone(shop, service):
    part = shop.get(quick(service=service.pk), headers=HTMX)

    assert part.content.decode().strip().startswith('<div class="quick__chosen" id="quick-chosen"')
    assert "<header" not in part.content.decode()


def test_quick_takes_an_order_and_stays_on_the_page(shop, service, ann):
    answer = send(shop, service)

    order = Order.objects.get()
    assert (order.user, order.link, order.quantity, order.price_micros) == (ann, LINK, 1000, 1_875_000)
    assert answer.url == quick(service=service.pk, placed=order.pk)
    page = shop.get(answer.url)
    assert f"Thank you. Your order #{order.pk} is paid." in page_words(page)
    assert f'href="{reverse("orders:detail", args=[order.pk])}"' in page.content.decode()


def test_quick_sent_twice_with_one_request_id_buys_once(shop, service):
    page = shop.get(quick(service=service.pk))
    form = {"quantity": "1000", "link": LINK, "request_id": hidden(page, "request_id")}
    form["quote"] = quoted(shop, service, "1000")

    shop.post(quick(service=service.pk), form)
    shop.post(quick(service=service.pk), form)

    assert Order.objects.count() == 1


def test_quick_with_a_bad_link_says_so_on_the_same_page(shop, service):
    answer = send(shop, service, link="my page")

    assert error_beside(answer, "id_link") == "Enter the full link, starting with https://."
    assert "<h1>Quick order</h1>" in answer.content.decode()
    assert Order.objects.count() == 0


def test_quick_with_too_little_money_charges_nothing_and_says_what_is_missing(shop, service):
    Service.objects.filter(pk=service.pk).update(max_quantity=1_000_000)

    answer = send(shop, service, quantity="100000")

    assert "You're $87.50 short." in page_words(answer)
    assert Order.objects.count() == 0


def test_quick_with_ten_links_orders_nothing_and_offers_the_mass_order(shop, service):
    answer = send(shop, service, link="\n".join(TEN))

    assert Order.objects.count() == 0
    assert error_beside(answer, "id_link") == ("Enter one link here, or check all of them together as a mass order.")
    assert "Links: 10 ." in page_words(answer)
    assert f'formaction="{reverse("orders:mass")}"' in answer.content.decode()


def test_mass_order_from_a_quick_one_previews_every_link(shop, service):
    form = {"several": service.pk, "link": "\r\n".join(TEN), "quantity": "1000"}

    page = shop.post(reverse("orders:mass"), form)

    rows = page.context["form"].rows
    assert [(row.link, row.line.quantity, row.problem) for row in rows] == [(link, 1000, "") for link in TEN]
    assert page.context["bill"].total_micros == 10 * 1_875_000
    assert Order.objects.count() == 0


def test_mass_order_from_a_quick_one_without_a_quantity_says_so(shop, service):
    page = shop.post(reverse("orders:mass"), {"several": service.pk, "link": "\n".join(TEN), "quantity": ""})

    assert {row.problem for row in page.context["form"].rows} == {"End with the quantity, as a whole number."}


@pytest.mark.parametrize(("coupon", "said"), [("SPRING", True), (" ", False)])
def test_mass_order_from_a_quick_one_with_a_coupon_says_that_it_counts_for_nothing_here(shop, service, coupon, said):
    form = {"several": service.pk, "link": "\n".join(TEN), "quantity": "1000", "coupon": coupon}

    page = shop.post(reverse("orders:mass"), form)

    assert ("A coupon is for a single order: these orders are at their full price." in page_words(page)) == said


def test_quick_for_comments_takes_one_link(shop, service):
    Service.objects.filter(pk=service.pk).update(type="Custom Comments", min_quantity=1)

    page = shop.get(quick(service=service.pk))

    assert "data-several" not in page.content.decode()
    assert re.search(r'<input[^>]*name="link"', page.content.decode())


def test_quick_for_goods_asks_for_no_link(shop, service):
    Category.objects.update(delivery=Delivery.VAULT)

    page = shop.get(quick(service=service.pk))

    assert 'name="link"' not in page.content.decode()
    assert "Your goods will appear on the page of your order" in page_words(page)


def test_quick_remembers_own_services_and_links_only(shop, service, ann, ben):
    other = put_on_sale("TikTok Views", category="TikTok")
    make_order(ann, service=service, link="https://instagram.com/mine")
    make_order(ben, service=other, link="https://tiktok.com/theirs")

    page = shop.get(quick(service=service.pk))

    assert [choice.pk for choice in page.context["recent"]] == [service.pk]
    assert page.context["quick"].links == ["https://instagram.com/mine"]
    assert "theirs" not in page.content.decode()


def test_quick_fills_in_a_last_link_by_its_place(shop, service, ann):
    make_order(ann, service=service, link="https://instagram.com/older")
    make_order(ann, service=service, link="https://instagram.com/newer")

    page = shop.get(quick(service=service.pk, link=2))

    assert page.context["form"]["link"].value() == "https://instagram.com/older"


def test_quick_says_of_nobody_elses_order_that_it_is_placed(shop, service, ben):
    order = make_order(ben, service=service)

    assert "Thank you" not in page_words(shop.get(quick(placed=order.pk)))


def test_quick_without_script_lists_the_category_to_choose_from(shop, service):
    put_on_sale("TikTok Views", category="TikTok")

    page = shop.get(quick(category=service.category_id))

    plain = re.search(r"<noscript>(.*?)</noscript>", page.content.decode().split("<main", 1)[1], re.DOTALL)[1]
    assert re.findall(r'value="(\d+)"', plain) == [str(service.pk)]
    assert "$1.875" in plain


def test_quick_without_script_forgets_the_service_when_another_category_is_chosen(shop, service):
    other = put_on_sale("TikTok Views", category="TikTok")

    page = shop.get(quick(category=other.category_id, service=service.pk))

    assert "order-form" not in page.content.decode()


def test_quick_sent_by_a_visitor_asks_to_sign_in(client, service):
    answer = client.post(quick(service=service.pk), {"quantity": "1000", "link": LINK})

    assert answer.url.startswith(reverse("account_login"))


def test_quick_sent_without_a_service_is_not_found(shop):
    assert shop.post(quick(), {}).status_code == 404


@pytest.mark.parametrize("typed", ["instagram followers", "instagrm", "#{pk}", "{pk}"])
def test_picker_finds_by_name_mistyped_and_by_number(client, service, typed):
    learn_words()
    page = client.get(reverse("orders:quick_services"), {"q": typed.format(pk=service.pk)})

    assert option_names(page) == [service.short_name]


def test_picker_says_price_number_and_measured_speed(client, service):
    ServiceQuality.objects.create(service=service, orders=50, completed=49, partial=1, refunded=0, done_seconds=7200)
    Service.objects.filter(pk=service.pk).update(done_seconds=7200, completed_percent=98)

    text = page_words(client.get(reverse("orders:quick_services"), {"q": "instagram"}))

    assert f"#{service.pk} · Instagram" in text
    assert "$1.875 per 1,000" in text
    assert "Done in 2 h" in text


def test_picker_stays_in_the_chosen_category(client, service):
    other = put_on_sale("Real followers", category="TikTok")

    page = client.get(reverse("orders:quick_services"), {"q": "followers", "category": other.category_id})

    assert option_names(page) == ["Real followers"]


def test_picker_when_nothing_is_found_says_so(client, service):
    page = client.get(reverse("orders:quick_services"), {"q": "zzzzzz"})

    assert option_names(page) == []
    assert "Nothing found. Try fewer words, or another category." in page_words(page)


def test_quick_asks_the_database_no_more_often_for_more_rows(shop, service, ann):
    make_order(ann, service=service, link=LINK)
    shop.get(quick(service=service.pk))  # the index and the version are read once
    with CaptureQueriesContext(connection) as few:
        shop.get(quick(service=service.pk))
    for number in range(4):
        make_order(ann, service=put_on_sale(f"Another {number}"), link=f"{LINK}{number}")
    shop.get(quick(service=service.pk))
    with CaptureQueriesContext(connection) as many:
        shop.get(quick(service=service.pk))

    assert asked(many) <= asked(few)


def asked(captured: CaptureQueriesContext) -> int:
    """How many queries a page took, without those that a process makes by the clock, whatever it is asked."""
    by_the_clock = ("catalog_version", "preferences_")
    return sum(not any(table in query["sql"] for table in by_the_clock) for query in captured.captured_queries)
