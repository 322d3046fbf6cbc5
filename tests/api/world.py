"""A small shop in which the API's answers are those of the API document, word by word.

The conformance test holds the answers against the document; the documentation page shows what they are.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.core.management.color import no_style
from django.db import connection
from django.utils import timezone

from accounts.models import User
from catalog.models import Category, Delivery, Service, Subcategory
from orders.lifecycle.goods import keep_goods
from orders.models import Kind, Order, ServiceRequest, Status
from sms.models import Country, Number, Project
from tests.storefront.admin_rows import make_order

FOLLOWERS, COMMENTS, GMAIL = 1, 2, 23501
ORDER, DONE, GOODS, UNSENT = 23501, 23502, 23503, 23504
REFILL = 701
NUMBER, WAITING = 12345, 12346
PROJECT = 65
EXPIRES_AT = datetime(2023, 1, 1, 12, tzinfo=UTC)
SERVICES = 150


@dataclass(frozen=True)
class World:
    """Its customer, who has 100.00, and what they bought."""

    customer: User


def build_world(customer: User) -> World:
    """Put the document's services, orders and numbers into the database; DEFAULT_MARKUP_PERCENT has to be 0."""
    _services()
    _orders(customer)
    _numbers(customer)
    _count_on()
    return World(customer)


def _count_on() -> None:
    """Have PostgreSQL number the next rows after these, whose numbers were given."""
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [Service, Order, Project, ServiceRequest]):
            cursor.execute(statement)


def _services() -> None:
    instagram = Category.objects.create(name="Instagram", position=1, rate_confirmed_at=timezone.now())
    mail = Category.objects.create(
        name="Email Accounts", position=2, rate_confirmed_at=timezone.now(), delivery=Delivery.EMAIL
    )
    inside = {
        name: Subcategory.objects.create(category=category, name=name)
        for category, names in ((instagram, ("Followers", "Comments", "Likes")), (mail, ("Gmail", "Outlook")))
        for name in names
    }
    _service(FOLLOWERS, inside["Followers"], name="Instagram Followers", rate_upstream_micros=500_000, refill=True)
    _service(
        COMMENTS,
        inside["Comments"],
        name="Instagram Comments",
        type="Custom Comments",
        rate_upstream_micros=5_000_000,
        min_quantity=10,
        max_quantity=1000,
    )
    _service(GMAIL, inside["Gmail"], name="Gmail, aged", rate_upstream_micros=500_000_000, min_quantity=1, stock=42)
    _service(GMAIL + 1, inside["Outlook"], name="Outlook", rate_upstream_micros=300_000_000, min_quantity=1, stock=0)
    Service.objects.bulk_create(
        _row(number, inside["Likes"], name=f"Instagram Likes {number}", rate_upstream_micros=100_000 * number)
        for number in range(3, SERVICES - 1)
    )


def _service(number: int, subcategory: Subcategory, **fields: object) -> None:
    _row(number, subcategory, **fields).save(force_insert=True)


def _row(number: int, subcategory: Subcategory, **fields: object) -> Service:
    values = {"type": "Default", "min_quantity": 100, "max_quantity": 10_000, "position": number}
    return Service(
        pk=number, upstream_id=number, category=subcategory.category, subcategory=subcategory, **{**values, **fields}
    )


def _orders(customer: User) -> None:
    followers, gmail = Service.objects.get(pk=FOLLOWERS), Service.objects.get(pk=GMAIL)
    common = {
        "service": followers,
        "quantity": 1000,
        "price_micros": 5_000_000,
        "link": "https://instagram.com/username",
    }
    started = {**common, "start_count": 1000, "upstream_id": 1}
    make_order(customer, pk=ORDER, status=Status.IN_PROGRESS, remains=500, **started)
    done = make_order(
        customer,
        pk=DONE,
        status=Status.COMPLETED,
        remains=0,
        finished_at=timezone.now(),
        **{**started, "upstream_id": 2},
    )
    goods = {**common, "service": gmail, "quantity": 2, "price_micros": 1_000_000, "link": "me@example.com"}
    delivered = make_order(customer, pk=GOODS, status=Status.COMPLETED, remains=0, upstream_id=3, **goods)
    keep_goods(delivered, ["first@example.com:password", "second@example.com:password"], timezone.now())
    make_order(customer, pk=UNSENT, status=Status.PAID, **common)
    ServiceRequest.objects.create(pk=REFILL, order=done, kind=ServiceRequest.Kind.REFILL)


def _numbers(customer: User) -> None:
    country = Country.objects.create(code="us", name="United States")
    Country.objects.create(code="gb", name="United Kingdom")
    for pk, place in ((PROJECT, country), (PROJECT + 1, Country.objects.get(code="gb"))):
        Project.objects.create(
            pk=pk, upstream_id=f"65f{pk}", country=place, name="OpenAI / ChatGPT", price_upstream_micros=500_000
        )
    project = Project.objects.get(pk=PROJECT)
    common = {"kind": Kind.NUMBER, "price_micros": 500_000, "title": "OpenAI / ChatGPT"}
    received = make_order(customer, pk=NUMBER, status=Status.COMPLETED, upstream_id=4, **common)
    waiting = make_order(customer, pk=WAITING, status=Status.IN_PROGRESS, upstream_id=5, **common)
    Number.objects.create(
        order=received,
        project=project,
        state=Number.State.RECEIVED,
        phone="+1234567890",
        code="123456",
        content="Your verification code is 123456",
        expires_at=EXPIRES_AT,
        received_at=EXPIRES_AT,
    )
    Number.objects.create(
        order=waiting, project=project, state=Number.State.WAITING, phone="+1234567891", expires_at=EXPIRES_AT
    )


def newest_order(customer: User) -> Order:
    """The order that was placed last."""
    return Order.objects.filter(user=customer).latest("created_at", "pk")
