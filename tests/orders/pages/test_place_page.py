"""The page of a service and its order form: what each answer says, and where."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog.models import Delivery, MarkupRule, Service
from orders.models import Order, Status
from orders.placing.quotes import read_quote
from tests.orders.quoting import signed
from tests.pages import HTMX, alerts, error_beside, hidden, page_words
from wallet.models import Wallet

LINK = "https://instagram.com/ann"


@pytest.fixture
def order_it(shop, service):
    """Open the service's page, type these values as a browser does, and send: `order_it(quantity=…, link=…)`."""

    def send(**typed):
        address = reverse("orders:place", args=[service.pk])
        form = {"quantity": "1000", "link": LINK, "request_id": hidden(shop.get(address), "request_id"), **typed}
        lines = [line for line in form.get("comments", "").splitlines() if line.strip()]
        quantity = len(lines) if "comments" in form else form["quantity"]
        return shop.post(address, {"quote": quoted(shop, service, quantity), **form})

    return send


def quoted(browser, service, quantity) -> str:
    """The signed price that the page shows once this quantity is typed; empty when it shows none."""
    part = browser.get(reverse("orders:place", args=[service.pk]), {"quantity": quantity}, headers=HTMX)
    return hidden(part, "quote") if 'name="quote"' in part.content.decode() else ""


def order_as(service, **fields):
    Service.objects.filter(pk=service.pk).update(**fields)
    service.refresh_from_db()


def test_place_takes_the_order_and_leads_to_it(order_it, ann):
    response = order_it(quantity="2000")

    order = Order.objects.get()
    assert response.url == reverse("orders:detail", args=[order.pk])
    assert (order.user, order.quantity, order.link, order.price_micros) == (ann, 2000, LINK, 3_750_000)
    assert order.checkout.request_id != ""


@pytest.mark.parametrize(
    ("typed", "field", "text"),
    [
        ({"quantity": "9"}, "id_quantity", "Enter a quantity between 10 and 10,000."),
        ({"quantity": "10001"}, "id_quantity", "Enter a quantity between 10 and 10,000."),
        ({"quantity": "many"}, "id_quantity", "Enter a whole number."),
        ({"quantity": ""}, "id_quantity", "Enter a quantity."),
        ({"link": "my page"}, "id_link", "Enter the full link, starting with https://."),
        ({"link": "ftp://example.com/x"}, "id_link", "Enter the full link, starting with https://."),
        ({"link": "https:///page"}, "id_link", "Enter the full link, starting with https://."),
        ({"link": ""}, "id_link", "Enter the link to your page or post."),
    ],
)
def test_place_with_a_bad_value_says_so_beside_the_field(order_it, typed, field, text):
    response = order_it(**typed)

    assert error_beside(response, field) == text
    assert Order.objects.count() == 0


def test_place_with_two_bad_values_names_both(order_it):
    response = order_it(quantity="1", link="nowhere")

    assert error_beside(response, "id_quantity") != ""
    assert error_beside(response, "id_link") != ""


def test_place_beyond_the_stock_says_how_many_there_are(order_it, service, sandbox):
    order_as(service, stock=500)
    sandbox.set_service(service.upstream_id, stock=500)

    assert (
        error_beside(order_it(quantity="501"), "id_quantity")
        == "Only 500 in stock: enter a quantity between 10 and 500."
    )


def test_place_with_a_link_without_its_scheme_adds_https(order_it):
    order_it(link="instagram.com/ann")

    assert Order.objects.get().link == LINK


def test_place_of_a_product_is_prefilled_with_ones_address_and_refuses_what_is_none(order_it, shop, service):
    order_as(service, delivery_override=Delivery.EMAIL)

    page = shop.get(reverse("orders:place", args=[service.pk]))
    response = order_it(link="ann at example.com")

    assert re.search(r'<input type="email" name="link" value="ann@example.com"', page.content.decode())
    assert error_beside(response, "id_link") == ("Enter the email address to deliver to, like name@example.com.")


def test_place_of_comments_counts_the_lines(order_it, service):
    order_as(service, type="Custom Comments", min_quantity=2)

    order_it(comments="  Lovely!\n\n\nMore of this\r\nYes ", quantity="7")

    order = Order.objects.get()
    assert (order.quantity, order.comments) == (3, "Lovely!\nMore of this\nYes")


@pytest.mark.parametrize(
    ("comments", "text"),
    [
        ("", "Enter at least one comment."),
        ("One", "You entered 1 comment; enter between 2 and 3, one per line."),
        ("1\n2\n3\n4", "You entered 4 comments; enter between 2 and 3, one per line."),
    ],
)
def test_place_of_too_few_or_too_many_comments_says_the_limits(order_it, service, comments, text):
    order_as(service, type="Custom Comments", min_quantity=2, max_quantity=3)

    assert error_beside(order_it(comments=comments), "id_comments") == text


def test_place_after_the_price_changed_offers_the_new_one_and_one_more_click_buys(order_it, service, ann):
    long_ago = signed(ann, service, expires_at=timezone.now() - timedelta(seconds=1))
    MarkupRule.objects.create(scope="service", service=service, percent=100)

    response = order_it(quote=long_ago)

    assert alerts(response) == "The price has changed: it is now $3.00. Order again to accept it."
    assert read_quote(hidden(response, "quote")).price_micros == 3_000_000
    assert Order.objects.count() == 0

    order_it(request_id=hidden(response, "request_id"), quote=hidden(response, "quote"))

    assert Order.objects.get().price_micros == 3_000_000


def test_place_without_enough_money_says_how_much_is_missing_and_where_to_add_it(order_it, ann):
    Wallet.objects.filter(user=ann).update(balance_micros=1_000_000)

    response = order_it()

    assert alerts(response) == "You're $0.875 short. Nothing has been charged."
    assert "You're $0.875 short. Add money" in page_words(response)
    assert f'href="{reverse("wallet:add")}">Add money' in response.content.decode()
    assert Order.objects.count() == 0


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"stock": 0}, "This service is sold out."),
        ({"stock": 5}, "Too few are left for the smallest order."),
        ({"paused_because": "rate unit"}, "This service is paused. Please try again later."),
        ({"type": "Poll"}, "This service can't be ordered here yet."),
        ({"withdrawn_at": timezone.now()}, "This service is no longer sold."),
    ],
)
def test_place_of_what_cannot_be_ordered_says_why_and_shows_no_form(shop, service, sandbox, fields, text):
    page_before = shop.get(reverse("orders:place", args=[service.pk]), {"quantity": "1000"})
    request_id, quote = hidden(page_before, "request_id"), hidden(page_before, "quote")
    order_as(service, **fields)
    if "stock" in fields:
        sandbox.set_service(service.upstream_id, stock=fields["stock"])

    page = shop.get(reverse("orders:place", args=[service.pk]))
    sent = shop.post(
        reverse("orders:place", args=[service.pk]),
        {"quantity": "1000", "link": LINK, "request_id": request_id, "quote": quote},
    )

    assert text in page_words(page)
    assert 'id="order-form"' not in page.content.decode()
    assert alerts(sent) == text
    assert Order.objects.count() == 0


def test_place_of_a_hidden_service_is_not_found(shop, service):
    order_as(service, visible=False)

    assert shop.get(reverse("orders:place", args=[service.pk])).status_code == 404


def test_place_pressed_twice_makes_one_order(order_it, shop, service, ann):
    page = shop.get(reverse("orders:place", args=[service.pk]))
    request_id = hidden(page, "request_id")

    first, second = order_it(request_id=request_id), order_it(request_id=request_id)

    assert first.url == second.url == reverse("orders:detail", args=[Order.objects.get().pk])
    assert Wallet.objects.get(user=ann).balance_micros == 98_125_000


def test_place_with_a_used_form_and_other_values_asks_and_then_places_a_second_one(order_it):
    order_it(request_id="00000000-0000-4000-8000-000000000001")

    response = order_it(request_id="00000000-0000-4000-8000-000000000001", quantity="3000", again="on")

    assert alerts(response) == "You have already ordered from this page. Order again to place this order too."
    order_it(request_id=hidden(response, "request_id"), quantity="3000", again="on")
    assert sorted(Order.objects.values_list("quantity", flat=True)) == [1000, 3000]


def test_place_of_a_second_open_order_for_the_same_link_warns_first(order_it, paid_order):
    response = order_it(link=f"{paid_order.link}/")

    assert f"You already have an open order for this link: #{paid_order.pk} (Paid)." in page_words(response)
    assert error_beside(response, "id_again") == "Check this box if you want a second order for the same link."
    assert Order.objects.count() == 1

    order_it(link=f"{paid_order.link}/", again="on")

    assert Order.objects.count() == 2


def test_place_for_a_link_whose_order_is_finished_does_not_warn(order_it, paid_order):
    Order.objects.filter(pk=paid_order.pk).update(status=Status.COMPLETED)

    order_it(link=paid_order.link)

    assert Order.objects.count() == 2


def test_place_for_a_visitor_shows_the_price_and_leads_to_sign_in_and_back(client, service):
    address = reverse("orders:place", args=[service.pk])

    page = client.get(f"{address}?quantity=2000")
    assert 'name="quote"' not in page.content.decode()
    sent = client.post(address, {"quantity": "2000", "link": LINK})

    assert "Total for 2,000 $3.75" in page_words(page)
    assert "Your balance" not in page_words(page)
    assert f"/accounts/login/?next={address}%3Fquantity%3D2000" in page.content.decode()
    assert sent.url == f"/accounts/login/?next={address}"
    assert Order.objects.count() == 0


def test_place_asked_by_htmx_for_a_quantity_answers_with_the_quote_alone(shop, service):
    response = shop.get(reverse("orders:place", args=[service.pk]), {"quantity": "2000"}, headers=HTMX)

    page = response.content.decode()
    assert "<html" not in page
    assert "Total for 2,000 $3.75" in page_words(response)
    assert read_quote(hidden(response, "quote")).price_micros == 3_750_000
    assert "Price held for 10 minutes ." in page_words(response)
    assert "HX-Request" in response["Vary"]
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        ("5", "Enter a quantity between 10 and 10,000."),
        ("x", "Enter a whole number."),
        ("9" * 30, "Enter a quantity between 10 and 10,000."),
    ],
)
def test_place_asked_by_htmx_for_a_bad_quantity_says_why_there_is_no_price(shop, service, quantity, text):
    response = shop.get(reverse("orders:place", args=[service.pk]), {"quantity": quantity}, headers=HTMX)

    assert text in page_words(response)
    assert "Total for" not in page_words(response)
    assert 'name="quote"' not in response.content.decode()


def test_place_shows_the_description_of_upstream_without_what_could_do_harm(shop, service):
    order_as(service, upstream_description="<p>Fast &amp; real</p><script>alert(1)</script><b>Always</b>")

    page = shop.get(reverse("orders:place", args=[service.pk])).content.decode()

    assert "<p>Fast &amp; real</p><b>Always</b>" in page
    assert "<script>alert" not in page
