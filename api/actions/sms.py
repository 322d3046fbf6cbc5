"""The actions of the API that sell SMS numbers.

Source: the HstockPlus API document, section "SMS Verification API".
"""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import wait
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.utils import timezone

from api.actions.calls import NOT_FOUND, Call, Scope
from api.actions.orders import (
    ORDER_NOT_FOUND,
    own_or_new_id,
    own_order,
    refusals,
)
from api.actions.params import ApiError, whole_number
from orders.fulfilment.forward import forward_order
from orders.fulfilment.thread_pool import start_in_threads
from orders.models import Kind, Order, Status
from orders.placing.refusals import Closed, MoneyOwed, OrderRefused, RequestIdReused
from sms.country_rows import country_called
from sms.formats.countries import region_of
from sms.limits import TooManyNumbers
from sms.merging import find_row, row_now
from sms.models import Country, Number, Project
from sms.operations import MAX_AT_ONCE, buy_numbers
from sms.pricing import number_book, number_price_micros
from upstream.client import default_client
from upstream.errors import Unavailable
from upstream.money import text_from_micros
from upstream.reading.amounts import MAX_INTEGER, typed_quantity

log = structlog.get_logger(__name__)
State = Number.State
T = TypeVar("T")

ANSWER_WITHIN_SECONDS = 20.0
LOOK_AGAIN_SECONDS = 0.2
WORDS = {
    State.ORDERED: "pending",
    State.WAITING: "active",
    State.RECEIVED: "code_received",
    State.EXPIRED: "expired",
    State.CANCELED: "canceled",
}


def sms_countries(call: Call) -> list[dict[str, str]]:
    """The countries that have numbers on sale."""
    language = call.names_language
    found = Country.objects.filter(pk__in=Project.objects.on_sale().values("country"))
    return [{"country_code": country.code, "country_name": country.name_in(language)} for country in found]


def sms_projects(call: Call) -> list[dict[str, str]]:
    """What numbers can be had for, at this customer's prices."""
    language = call.names_language
    found = Project.objects.on_sale().select_related("country", "site")
    if country := call.text("country"):
        found = found.filter(country=country_called(country))
    book = number_book(call.user)
    return [
        {
            "project_id": str(project.pk),
            "name": project.site.name_in(language),
            "price": text_from_micros(number_price_micros(project, call.user, book), 4),
            "country_id": project.country.code,
            "country_title": project.country.name_in(language),
        }
        for project in found
    ]


def add_sms(call: Call) -> dict[str, Any]:
    """Buy numbers and wait for them a while. One that is still being fetched is listed without its phone.

    When none could be had, all are refunded and the answer is an error.
    """
    orders = buy_some(call, _buy)
    _forward([order.pk for order in orders])
    numbers = Number.objects.filter(order__in=orders).select_related("order", "project__country").order_by("order_id")
    kept = [number for number in numbers if number.order.status != Status.FAILED]
    if not kept:
        raise ApiError("No numbers available", 409)
    return {
        "orders": [
            {
                "order": number.order_id,
                "phone": number.phone,
                "country": number.project.country.code,
                "status": WORDS[State(number.state)],
            }
            for number in kept
        ]
    }


def sms_code(call: Call) -> dict[str, Any]:
    """The code, once it has come."""
    call.check_scope(Scope.SECRETS)
    number = _number(call)
    answer = code_answer(State(number.state), number.code, number.content)
    return {**answer, "message": "The code was deleted, its time is over"} if number.content_wiped_at else answer


def code_answer(state: Number.State, code: str, content: str) -> dict[str, Any]:
    """Return the document's answer: a code, or why there is none."""
    if state == State.RECEIVED:
        return {"status": "completed", "code": code, "sms_content": content}
    if state in (State.ORDERED, State.WAITING):
        return {"status": "waiting", "message": "Waiting for code"}
    return {"status": WORDS[state], "message": f"Number is {WORDS[state]}"}


def sms_status(call: Call) -> dict[str, Any]:
    """How a number is going."""
    return number_status(_number(call), with_code=call.may_see_secrets)


def without_code(answer: dict[str, Any]) -> dict[str, Any]:
    """Return the same answer for a key that may not see codes: the state says that one has come."""
    return {**{name: value for name, value in answer.items() if name != "sms_content"}, "code": None}


def number_status(number: Number, *, with_code: bool = True) -> dict[str, Any]:
    """Return the document's fields, and the message as well: clients are known that poll nothing else.

    The number comes with its order. Raises CannotDecrypt.
    """
    lifetime = timedelta(seconds=settings.SMS_LIFETIME_SECONDS)
    expires_at = number.expires_at or number.created_at + lifetime
    answer: dict[str, Any] = {
        "status": WORDS[State(number.state)],
        "phone": number.phone,
        "code": (number.code or None) if with_code else None,
        "charge": text_from_micros(number.order.kept_micros, 4),
        "currency": settings.STORE_CURRENCY,
        "expires_at": time_text(expires_at),
    }
    return {**answer, "sms_content": number.content} if with_code and number.content else answer


def time_text(moment: datetime) -> str:
    """Return a time as the document writes it, like `2023-01-01T12:00:00.000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _number(call: Call) -> Number:
    order = own_order(call.user, call.text("order"))
    if order.kind != Kind.NUMBER:
        raise ApiError(ORDER_NOT_FOUND, NOT_FOUND)
    number: Number = order.number
    number.order = order
    return number


def buy_some(call: Call, take: Callable[[Call, Project, int, str], list[T]]) -> list[T]:
    """Read what is asked for and let `take` buy it; refusals speak the trade's words."""
    project = _project(call)
    quantity = typed_quantity(call.text("quantity") or "1")
    if quantity is None or abs(quantity) > MAX_INTEGER:
        raise ApiError("Invalid quantity")
    with refusals():
        try:
            return take(call, project, quantity, call.text("phone"))
        except OrderRefused as refusal:
            if isinstance(refusal, (Closed, MoneyOwed, RequestIdReused)):
                raise
            if isinstance(refusal, TooManyNumbers):
                raise ApiError(str(refusal), 409) from None
            raise _refusal(project, refusal.field) from None


def _refusal(project: Project, field: str) -> ApiError:
    if field == "quantity":
        return ApiError(f"Quantity must be between 1 and {MAX_AT_ONCE}")
    if field == "reuse_phone":
        return ApiError("Phone number is not available", 409)
    if Project.objects.on_sale().filter(pk=project.pk).exists():
        return ApiError("No numbers available", 409)
    return ApiError("Project not found", NOT_FOUND)


def _project(call: Call) -> Project:
    if not call.text("project_id"):
        raise ApiError("Project ID is required")
    project = find_row(Project.objects.select_related("country"), whole_number(call.text("project_id")) or 0)
    if project is None or not _is_in(project, call.text("country")):
        raise ApiError("Project not found", NOT_FOUND)
    return project


def _is_in(project: Project, code: str) -> bool:
    """Whether the code, where one was sent, is that of the project's country, in whichever way it is written."""
    country = project.country
    if code in ("", country.code, project.country_code) or row_now(Country, code) == country.pk:
        return True
    region = region_of(code)
    return region != "" and region == region_of(country.code, country.name)


def _buy(call: Call, project: Project, quantity: int, phone: str) -> list[Order]:
    return buy_numbers(
        user=call.user,
        project=project,
        quantity=quantity,
        **own_or_new_id(call),
        reuse_phone=phone,
        api_key=call.key,
    )


def _forward(order_ids: Sequence[int]) -> None:
    """Send the orders now, several at once; answers that come after the deadline are recorded all the same.

    One that breaks our own code is logged and left to the workers: the others are answered as usual.
    """
    deadline = time.monotonic() + ANSWER_WITHIN_SECONDS
    try:
        client = default_client()
    except Unavailable as error:
        log.warning("upstream_not_configured", error=str(error))
        return

    broken: list[int] = []

    def forward(order_id: int) -> None:
        try:
            forward_order(order_id, client=client, clock=timezone.now)
        except Exception:  # a thread's exception would reach nobody
            log.exception("number_not_forwarded", order_id=order_id)
            broken.append(order_id)

    threads = min(len(order_ids), settings.UPSTREAM_MAX_IN_FLIGHT)
    wait(start_in_threads(order_ids, forward, threads=threads, name="add_sms"), timeout=ANSWER_WITHIN_SECONDS)
    # A worker may have been quicker to take one: its answer is as good as ours.
    sending = Order.objects.filter(pk__in=set(order_ids) - set(broken), status=Status.SENDING)
    while time.monotonic() < deadline and sending.exists():
        time.sleep(LOOK_AGAIN_SECONDS)
