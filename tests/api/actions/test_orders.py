"""Orders over the API: they take money once, belong to the key's owner, and speak the document's five words."""

import pytest
from django.utils import timezone

from accounts.keys.api_keys import create_api_key
from accounts.models import User
from catalog.models import Delivery, Service
from orders.lifecycle.goods import keep_goods
from orders.models import GoodsReveal, Order, Status
from tests.api.conftest import Call
from tests.storefront.admin_rows import make_order
from upstream.sandbox.process import Sandbox
from wallet.models import LedgerEntry, Wallet

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
LINK = "https://instagram.com/ann"


def test_add_when_all_is_well_then_the_order_is_paid_and_its_id_returned(
    call: Call, service: Service, ann: User
) -> None:
    answer = call("add", service=service.pk, link=LINK, quantity=1000)

    order = Order.objects.get()
    assert answer == {"order": order.pk}
    assert (order.user, order.link, order.quantity, order.status) == (ann, LINK, 1000, Status.PAID)
    assert call("balance") == {"balance": "98.125", "currency": "USD"}


def test_add_when_it_comes_as_json_with_numbers_then_it_is_the_same(key: str, service: Service, client) -> None:
    body = {"key": key, "action": "add", "service": service.pk, "link": LINK, "quantity": 1000}

    answer = client.post("/api/v2", body, content_type="application/json").json()

    assert answer == {"order": Order.objects.get(quantity=1000).pk}


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"service": ""}, "Service ID is required"),
        ({"service": "999999"}, "Service not found"),
        ({"link": ""}, "Link is required"),
        ({"link": "instagram"}, "Invalid link"),
        ({"link": "https://x.com/" + "a" * 3000}, "Invalid link"),
        ({"quantity": ""}, "Quantity is required"),
        ({"quantity": "many"}, "Invalid quantity"),
        ({"quantity": "1e3"}, "Invalid quantity"),
        ({"quantity": "9"}, "Quantity must be between 10 and 10000"),
        ({"quantity": "-1000"}, "Quantity must be between 10 and 10000"),
        ({"quantity": "10001"}, "Quantity must be between 10 and 10000"),
        ({"quantity": "9" * 18}, "Quantity must be between 10 and 10000"),
        ({"request_id": "x" * 65}, "request_id is longer than 64 characters"),
    ],
)
def test_add_when_a_value_is_wrong_then_the_error_says_which_and_nothing_is_taken(
    call: Call, service: Service, changed: dict, error: str
) -> None:
    answer = call("add", **{"service": service.pk, "link": LINK, "quantity": "1000", **changed})

    assert answer == {"error": error}
    assert Order.objects.count() == 0
    assert call("balance")["balance"] == "100.00"


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"stock": 500}, "Not enough stock"),
        ({"stock": 0}, "Not enough stock"),
        ({"paused_because": "too dear"}, "Not enough stock"),
        ({"type": "Package"}, "Not enough stock"),
        ({"visible": False}, "Service not found"),
        ({"rate_upstream_micros": 900_000_000}, "Insufficient balance"),
    ],
)
def test_add_when_the_service_cannot_be_sold_then_the_trades_text_says_so(
    call: Call, service: Service, sandbox: Sandbox, changed: dict, error: str
) -> None:
    Service.objects.filter(pk=service.pk).update(**changed)
    if "stock" in changed:
        sandbox.set_service(service.upstream_id, stock=changed["stock"])

    assert call("add", service=service.pk, link=LINK, quantity=1000) == {"error": error}
    assert Order.objects.count() == 0


def test_add_when_upstream_sold_out_since_the_last_sync_then_nothing_is_taken(
    call: Call, service: Service, sandbox: Sandbox
) -> None:
    Service.objects.filter(pk=service.pk).update(stock=5000)
    sandbox.set_service(service.upstream_id, stock=0)

    assert call("add", service=service.pk, link=LINK, quantity=1000) == {"error": "Not enough stock"}
    assert call("inventory", service=service.pk) == {"service": service.pk, "stock": 0, "available": False}
    assert call("balance")["balance"] == "100.00"


def test_add_when_goods_have_no_address_then_they_go_to_the_accounts_own(
    call: Call, service: Service, ann: User
) -> None:
    Service.objects.filter(pk=service.pk).update(delivery_override=Delivery.EMAIL)

    call("add", service=service.pk, quantity=10)

    assert Order.objects.get().link == ann.email


def test_add_when_comments_are_sold_then_their_number_is_the_quantity(call: Call, service: Service) -> None:
    Service.objects.filter(pk=service.pk).update(type="Custom Comments", min_quantity=2)
    asked = {"service": service.pk, "link": LINK}

    assert call("add", **asked) == {"error": "Comments are required"}
    assert call("add", **asked, comments="nice") == {"error": "Quantity must be between 2 and 10000"}
    wrong = call("add", **asked, comments="nice\ngreat", quantity=3)
    assert wrong == {"error": "Quantity does not match the number of comments"}

    call("add", **asked, comments="nice\r\n\r\ngreat ", quantity=2)

    order = Order.objects.get()
    assert (order.quantity, order.comments) == (2, "nice\ngreat")


def test_add_when_it_is_repeated_with_its_request_id_then_it_buys_once(call: Call, service: Service, ann: User) -> None:
    asked = {"service": service.pk, "link": LINK, "quantity": 1000, "request_id": "mine-1"}
    first = call("add", **asked)
    # What has happened since must not turn the repeat into a refusal: the caller would think that nothing was bought.
    Service.objects.filter(pk=service.pk).update(visible=False, stock=0)
    Wallet.objects.filter(user=ann).update(balance_micros=0)

    assert call("add", **asked) == first
    assert Order.objects.count() == 1
    assert LedgerEntry.objects.filter(kind=LedgerEntry.Kind.CHARGE).count() == 1


def test_add_when_the_request_id_comes_with_other_values_then_it_is_refused(call: Call, service: Service) -> None:
    asked = {"service": service.pk, "link": LINK, "request_id": "mine-1"}
    call("add", **asked, quantity=1000)

    assert call("add", **asked, quantity=2000) == {"error": "request_id was used with other values"}
    assert Order.objects.count() == 1


def test_add_when_it_is_repeated_without_a_request_id_then_it_buys_again(call: Call, service: Service) -> None:
    asked = {"service": service.pk, "link": LINK, "quantity": 1000}

    assert call("add", **asked) != call("add", **asked)


@pytest.mark.parametrize(
    ("status", "word"),
    [
        (Status.PAID, "Pending"),
        (Status.UNKNOWN, "Pending"),
        (Status.PENDING, "Pending"),
        (Status.IN_PROGRESS, "In progress"),
        (Status.COMPLETED, "Completed"),
        (Status.PARTIAL, "Partial"),
        (Status.CANCELED, "Canceled"),
        (Status.FAILED, "Canceled"),
    ],
)
def test_status_when_asked_then_it_is_one_of_the_documents_words(
    call: Call, ann: User, service: Service, status: str, word: str
) -> None:
    order = make_order(ann, service=service, status=status, remains=40, start_count=7, refunded_micros=75_000)

    assert call("status", order=order.pk) == {
        "status": word,
        "charge": "0.1125",
        "start_count": 7,
        "remains": 40,
        "currency": "USD",
    }


@pytest.mark.parametrize(
    ("status", "remains", "shown"),
    [(Status.PAID, None, 100), (Status.COMPLETED, None, 0), (Status.PARTIAL, -5, 0), (Status.PARTIAL, 500, 100)],
)
def test_status_when_upstream_said_nothing_or_nonsense_then_remains_stays_within_the_quantity(
    call: Call, ann: User, service: Service, status: str, remains: int | None, shown: int
) -> None:
    order = make_order(ann, service=service, status=status, remains=remains)

    assert call("status", order=order.pk)["remains"] == shown


def test_status_when_goods_were_delivered_then_they_are_in_the_answer(call: Call, ann: User, service: Service) -> None:
    order = make_order(ann, service=service, status=Status.COMPLETED, upstream_payload={"supplier": "hidden"})
    keep_goods(order, ["a@example.com:secret"], timezone.now())

    answer = call("status", order=order.pk)

    assert answer["accounts"] == ["a@example.com:secret"]
    assert "supplier" not in answer
    assert call("status", orders=str(order.pk))[str(order.pk)] == answer
    for _time in range(8):
        call("status", order=order.pk)
    assert GoodsReveal.objects.get(user=ann, goods__order=order).looks == 10


@pytest.mark.parametrize("asked", [{}, {"order": ""}, {"order": "x"}, {"order": "99999999"}, {"order": "9" * 30}])
def test_status_when_there_is_no_such_order_then_it_is_not_found(call: Call, asked: dict) -> None:
    assert call("status", **asked) == {"error": "Order not found"}


@pytest.mark.parametrize("action", ["status", "sms_code", "sms_status"])
def test_reading_when_the_order_is_anothers_then_it_is_not_found(
    call: Call, ben: User, service: Service, action: str
) -> None:
    assert call(action, order=make_order(ben, service=service).pk) == {"error": "Order not found"}


def test_status_of_several_when_some_are_not_ours_then_each_has_its_own_answer(
    call: Call, ann: User, ben: User, service: Service, django_assert_num_queries
) -> None:
    mine = [make_order(ann, service=service, status=Status.IN_PROGRESS) for _each in range(2)]
    his = make_order(ben, service=service)
    call("balance")

    with django_assert_num_queries(2):
        answers = call("status", orders=f"{mine[0].pk}, {mine[1].pk},{his.pk},x,")

    assert [answers[str(order.pk)]["status"] for order in mine] == ["In progress", "In progress"]
    assert answers[str(his.pk)] == {"error": "Order not found"}
    assert answers["x"] == {"error": "Order not found"}
    assert len(answers) == 4


def test_status_of_several_when_only_one_is_named_then_the_shape_stays(call: Call, ann: User, service: Service) -> None:
    order = make_order(ann, service=service)

    assert list(call("status", orders=order.pk)) == [str(order.pk)]


def test_status_of_several_when_they_are_too_many_then_it_is_refused(call: Call) -> None:
    asked = ",".join(str(number) for number in range(1, 102))

    assert call("status", orders=asked) == {"error": "Too many orders, 100 at most"}


def test_balance_when_the_customer_never_paid_in_then_it_is_zero(client) -> None:
    newcomer = User.objects.create_user("new@example.com")
    key = create_api_key(user=newcomer, name="robot")[1]

    answer = client.post("/api/v2", {"key": key, "action": "balance"}).json()

    assert answer == {"balance": "0.00", "currency": "USD"}
