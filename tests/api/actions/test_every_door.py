"""One reading at every door: the page, a mass order and the API take and refuse the same, and keep the same."""

import uuid
from typing import Any

import pytest

from catalog.models import Delivery, Service
from catalog.pricing import price_book
from orders.models import Order
from orders.pages.forms import PlaceOrderForm
from orders.pages.mass_form import read_rows
from orders.placing.mass import check_lines
from sms.models import Number, Project
from tests.api.conftest import Call
from tests.sms.conftest import project  # noqa: F401 - a fixture
from tests.storefront.admin_rows import make_order

pytestmark = pytest.mark.django_db
LINK = "https://instagram.com/ann"
REFUSED = None


def by_page(service: Service, user: Any, link: str, quantity: str) -> tuple[str, int] | None:
    typed = {"link": link, "quantity": quantity, "request_id": str(uuid.uuid4()), "again": "on"}
    form = PlaceOrderForm(typed, service=service, user=user)
    return (form.order()["link"], form.order()["quantity"]) if form.is_valid() else REFUSED


def by_mass_order(service: Service, user: Any, link: str, quantity: str, bar: str = " | ") -> tuple[str, int] | None:
    [row] = read_rows(f"\ufeff{service.pk}{bar}{link}{bar}{quantity}")
    if row.line is None:
        return REFUSED
    [checked] = check_lines([row.line], book=price_book(user))
    return REFUSED if checked.problem else (checked.link, checked.line.quantity)


def by_api(service: Service, call: Call, link: str, quantity: str) -> tuple[str, int] | None:
    answer = call("add", service=service.pk, link=link, quantity=quantity)
    if "error" in answer:
        return REFUSED
    order = Order.objects.get(pk=answer["order"])
    return order.link, order.quantity


@pytest.mark.parametrize(
    ("link", "kept"),
    [
        (LINK, LINK),
        ("instagram.com/ann", LINK),
        ("//instagram.com/ann", LINK),
        ("www.instagram.com/ann", "https://www.instagram.com/ann"),
        ("t.me/@ann", "https://t.me/@ann"),
        ("instagram.com:443/ann", "https://instagram.com:443/ann"),
        ("example.com/?next=https://x.com/", "https://example.com/?next=https://x.com/"),
        (f"{LINK}\u200b", LINK),
        (f"\ufeff\u2060{LINK}\u200e", LINK),
        ("https://insta\u00adgram.com/an\u200bn", LINK),
        (f"\u00a0{LINK}\u2003", LINK),
        (f"{LINK}%E2%80%8B", LINK),
        (f"{LINK}%e2%80%8b/", f"{LINK}/"),
        (f"{LINK}%E2%80%8B?x=1", REFUSED),
        (f"{LINK}\ufe0f", LINK),
        (f"{LINK}/e\u0301", f"{LINK}/e\u0301"),
        (f"{LINK}/\u00e9", f"{LINK}/\u00e9"),
        ("HTTPS://instagram.com/ann", "HTTPS://instagram.com/ann"),
        ("ann", REFUSED),
        ("@ann", REFUSED),
        ("/ann", REFUSED),
        ("\u200b", REFUSED),
        ("mailto:ann@example.com", REFUSED),
        ("javascript:alert(1)", REFUSED),
        ("ftp://example.com/a", REFUSED),
        ("https://instagram.com/a nn", REFUSED),
    ],
)
def test_a_link_is_read_alike_at_every_door(call: Call, ann: Any, service: Service, link: str, kept: str) -> None:
    read = [
        by_page(service, ann, link, "1000"),
        by_mass_order(service, ann, link, "1000"),
        by_api(service, call, link, "1000"),
    ]

    assert read == [REFUSED if kept is REFUSED else (kept, 1000)] * 3


@pytest.mark.parametrize(
    ("quantity", "pieces"),
    [
        ("1000", 1000),
        ("1 000", 1000),
        ("1\u00a0000", 1000),
        ("1\u202f000", 1000),
        ("1000.0", 1000),
        ("1000,00", 1000),
        ("1'000", 1000),
        ("\u200b1000\ufeff", 1000),
        ("1,000", REFUSED),
        ("1.000", REFUSED),
        ("1000.5", REFUSED),
        ("1_000", REFUSED),
        ("1e3", REFUSED),
        ("٣٠٠٠", REFUSED),
        ("-1000", REFUSED),
        ("9" * 30, REFUSED),
        ("many", REFUSED),
        ("\u200b", REFUSED),
    ],
)
def test_a_quantity_is_read_alike_at_every_door(
    call: Call, ann: Any, service: Service, quantity: str, pieces: int | None
) -> None:
    read = [
        by_page(service, ann, LINK, quantity),
        by_mass_order(service, ann, LINK, quantity),
        by_api(service, call, LINK, quantity),
    ]

    assert read == [REFUSED if pieces is None else (LINK, pieces)] * 3


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("ann@example.com\u200b", "ann@example.com"),
        ("\ufeffann@exam\u00adple.com", "ann@example.com"),
        ("an\u200bn@example.com", REFUSED),
    ],
)
def test_an_address_to_deliver_to_is_read_alike_at_every_door(
    call: Call, ann: Any, service: Service, typed: str, kept: str
) -> None:
    Service.objects.filter(pk=service.pk).update(delivery_override=Delivery.EMAIL)
    service.refresh_from_db()

    read = [
        by_page(service, ann, typed, "1000"),
        by_mass_order(service, ann, typed, "1000"),
        by_api(service, call, typed, "1000"),
    ]

    assert read == [REFUSED if kept is REFUSED else (kept, 1000)] * 3


@pytest.mark.parametrize("bar", ["\t", "|", " | ", " |\t", "\t "])
def test_rows_out_of_a_spreadsheet_are_read_as_lines_with_bars(ann: Any, service: Service, bar: str) -> None:
    assert by_mass_order(service, ann, "instagram.com/ann", "1 000", bar) == (LINK, 1000)


def test_a_row_out_of_a_spreadsheet_may_have_bars_in_its_link_and_empty_cells_behind(service: Service) -> None:
    [row] = read_rows(f"{service.pk}.0\thttps://x.com/?q=a|b\t1000\t\t")

    assert row.line is not None
    assert (row.line.service_id, row.line.link, row.line.quantity) == (service.pk, "https://x.com/?q=a|b", 1000)


COMMENTS = "one\u2028still one\r\ntwo\x0bstill two\rthree\x85still three\n\u200b\n \u00a0\n\u2800\nfour \u200b"
KEPT = "one still one\ntwo still two\nthree still three\nfour"


def test_comments_are_counted_as_the_buyer_sees_them_at_every_door(call: Call, ann: Any, service: Service) -> None:
    Service.objects.filter(pk=service.pk).update(type="Custom Comments", min_quantity=1)
    service.refresh_from_db()
    typed = {"link": LINK, "comments": COMMENTS, "request_id": str(uuid.uuid4())}

    form = PlaceOrderForm(typed, service=service, user=ann)
    assert form.is_valid(), form.errors
    answers = [call("add", service=service.pk, link=f"{LINK}/{n}", comments=COMMENTS, quantity=n) for n in ("3", "4")]

    assert (form.cleaned_data["comments"], form.typed_quantity) == (KEPT, "4")
    assert answers[0] == {"error": "Quantity does not match the number of comments"}
    order = Order.objects.get(pk=answers[1]["order"])
    assert (order.quantity, order.comments) == (4, KEPT)


@pytest.mark.parametrize(
    "typed",
    [
        "+12025550123",
        " 12025550123",  # a plus sign that was not escaped
        "12025550123",
        "+1 (202) 555-0123",
        "2025550123",
        "\u200b+12025550123",
        "001 202 555 0123",
    ],
)
@pytest.mark.parametrize("stored", ["+12025550123", "2025550123"])
def test_add_sms_knows_a_number_by_its_digits(
    call: Call,
    ann: Any,
    project: Project,  # noqa: F811
    typed: str,
    stored: str,
) -> None:
    project.country.dial_code = "+1"
    project.country.save()
    Number.objects.create(order=make_order(ann), project=project, phone=stored)

    answer = call("add_sms", project_id=project.pk, phone=typed)

    assert "orders" in answer or answer == {"error": "No numbers available"}
    assert Number.objects.exclude(reuse_phone="").get().reuse_phone == stored


def test_add_sms_when_the_digits_are_anothers_refuses(call: Call, ann: Any, ben: Any, project: Project) -> None:  # noqa: F811
    Number.objects.create(order=make_order(ben), project=project, phone="+12025550123")
    Number.objects.create(order=make_order(ann), project=project, phone="+12025550124")

    for typed in ("+12025550123", "abc", "+"):
        assert call("add_sms", project_id=project.pk, phone=typed) == {"error": "Phone number is not available"}


@pytest.mark.parametrize("searched", ["caf\u00e9", "cafe\u0301"])
@pytest.mark.parametrize("kept", ["caf\u00e9", "cafe\u0301"])
def test_a_link_is_found_whichever_way_its_letters_are_composed(ann: Any, searched: str, kept: str) -> None:
    order = make_order(ann)
    Order.objects.filter(pk=order.pk).update(link=f"https://example.com/{kept}")

    assert list(Order.objects.matching(searched)) == [order]
