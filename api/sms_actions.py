"""The actions of the API that sell SMS numbers.

Source: the HstockPlus API document, section "SMS Verification API".
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db import connection

from accounts.models import User
from api.actions import ORDER_NOT_FOUND, own_order, request_id
from api.params import ApiError, Params, whole_number
from orders.models import Kind, Order, Status
from orders.operations import OrderRefused, forward_order
from orders.operations.placing import MoneyOwed, RequestIdReused
from sms.models import Country, Number, Project
from sms.operations import buy_numbers
from sms.pricing import number_book, number_price_micros
from upstream.client import default_client
from upstream.errors import Unavailable
from upstream.money import text_from_micros
from wallet.operations import InsufficientFunds

log = structlog.get_logger(__name__)
State = Number.State

ANSWER_WITHIN_SECONDS = 20.0
LOOK_AGAIN_SECONDS = 0.2
WORDS = {
    State.ORDERED: "pending",
    State.WAITING: "active",
    State.RECEIVED: "code_received",
    State.EXPIRED: "expired",
    State.CANCELED: "canceled",
}


def sms_countries(user: User, params: Params) -> list[dict[str, str]]:
    """The countries that have numbers on sale."""
    found = Country.objects.filter(projects__in=Project.objects.on_sale()).distinct()
    return [{"country_code": country.code, "country_name": country.name} for country in found]


def sms_projects(user: User, params: Params) -> list[dict[str, str]]:
    """What numbers can be had for, at this customer's prices."""
    found = Project.objects.on_sale().select_related("country")
    if country := params.get("country", "").strip():
        found = found.filter(country__code=country)
    book = number_book(user)
    return [
        {
            "project_id": str(project.pk),
            "name": project.name,
            "price": text_from_micros(number_price_micros(project, user, book), 4),
            "country_id": project.country.code,
            "country_title": project.country.name,
        }
        for project in found
    ]


def add_sms(user: User, params: Params) -> dict[str, Any]:
    """Buy numbers and wait for them a while. One that is still being fetched is listed without its phone.

    When none could be had, all are refunded and the answer is an error.
    """
    orders = _buy(user, params, _project(params))
    _forward([order.pk for order in orders])
    numbers = Number.objects.filter(order__in=orders).select_related("order", "project__country").order_by("order_id")
    kept = [number for number in numbers if number.order.status != Status.FAILED]
    if not kept:
        raise ApiError("No numbers available")
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


def sms_code(user: User, params: Params) -> dict[str, Any]:
    """The code, once it has come."""
    number = _number(user, params)
    if number.state == State.RECEIVED:
        return {"status": "completed", "code": number.code, "sms_content": number.content}
    if number.state in (State.ORDERED, State.WAITING):
        return {"status": "waiting", "message": "Waiting for code"}
    word = WORDS[State(number.state)]
    return {"status": word, "message": f"Number is {word}"}


def sms_status(user: User, params: Params) -> dict[str, Any]:
    """How a number is going. The message is here as well: clients are known that poll nothing else."""
    number = _number(user, params)
    lifetime = timedelta(seconds=settings.SMS_LIFETIME_SECONDS)
    expires_at = (number.expires_at or number.created_at + lifetime).astimezone(UTC)
    answer: dict[str, Any] = {
        "status": WORDS[State(number.state)],
        "phone": number.phone,
        "code": number.code or None,
        "charge": text_from_micros(number.order.kept_micros, 4),
        "currency": settings.STORE_CURRENCY,
        "expires_at": expires_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }
    return {**answer, "sms_content": number.content} if number.content else answer


def _number(user: User, params: Params) -> Number:
    order = own_order(user, params)
    if order.kind != Kind.NUMBER:
        raise ApiError(ORDER_NOT_FOUND)
    number: Number = order.number
    number.order = order
    return number


def _project(params: Params) -> Project:
    if not params.get("project_id", "").strip():
        raise ApiError("Project ID is required")
    project_id = whole_number(params["project_id"]) or 0
    project = Project.objects.select_related("country").filter(pk=project_id).first()
    country = params.get("country", "").strip()
    if project is None or country not in ("", project.country.code):
        raise ApiError("Project not found")
    return project


def _buy(user: User, params: Params, project: Project) -> list[Order]:
    text = params.get("quantity", "").strip() or "1"
    quantity = whole_number(text)
    if quantity is None:
        raise ApiError("Invalid quantity")
    try:
        return buy_numbers(
            user=user,
            project=project,
            quantity=quantity,
            request_id=request_id(params),
            reuse_phone=params.get("phone", "").strip(),
        )
    except (InsufficientFunds, MoneyOwed):
        raise ApiError("Insufficient balance") from None
    except RequestIdReused:
        raise ApiError("request_id was used with other values") from None
    except OrderRefused as refusal:
        if refusal.field == "quantity":
            too_few = "Quantity is less than minimum"
            raise ApiError(too_few if quantity < 1 else "Quantity is more than maximum") from None
        if refusal.field == "reuse_phone":
            raise ApiError("Phone number is not available") from None
        on_sale = Project.objects.on_sale().filter(pk=project.pk).exists()
        raise ApiError("No numbers available" if on_sale else "Project not found") from None


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
            forward_order(order_id, client=client)
        except Exception:  # a thread's exception would reach nobody
            log.exception("number_not_forwarded", order_id=order_id)
            broken.append(order_id)
        finally:
            connection.close()  # this thread's own

    pool = ThreadPoolExecutor(min(len(order_ids), settings.UPSTREAM_MAX_IN_FLIGHT), thread_name_prefix="add_sms")
    wait([pool.submit(forward, order_id) for order_id in order_ids], timeout=ANSWER_WITHIN_SECONDS)
    pool.shutdown(wait=False)
    # A worker may have been quicker to take one: its answer is as good as ours.
    sending = Order.objects.filter(pk__in=set(order_ids) - set(broken), status=Status.SENDING)
    while time.monotonic() < deadline and sending.exists():
        time.sleep(LOOK_AGAIN_SECONDS)
