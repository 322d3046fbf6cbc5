"""What the demo's own customer did: orders that ended in every way, numbers, and what is under way at this moment."""

from datetime import datetime, timedelta

from accounts.models import User
from catalog.models import Delivery, Service
from catalog.pricing import PriceBook
from orders.lifecycle.service_requests import allowed_requests, close_request, request_service
from orders.models import Order, ServiceRequest, Status
from orders.placing.place import place_order
from sms.pricing import NumberBook
from storefront.demo.history.numbers import Rental, own_endings, plan_rental, popular_projects
from storefront.demo.history.past import Past
from storefront.demo.history.popular import Popular, plan_purchase
from upstream.money import MICROS

HANDLE = "studio_aurora"
ENDINGS = (
    *[Status.COMPLETED] * 6, Status.PARTIAL, *[Status.COMPLETED] * 3, Status.CANCELED, *[Status.COMPLETED] * 3,
    Status.FAILED, *[Status.COMPLETED] * 2, Status.PARTIAL, *[Status.COMPLETED] * 2, Status.CANCELED, Status.COMPLETED,
)  # fmt: skip
# What these links say, the sandbox does: see upstream.sandbox.orders.
UNDER_WAY = ("demo-slow", "demo-wait", "demo-done")
PAUSED = "Being checked: some orders took far longer than usual"


def plan_own(
    past: Past, customer: User, popular: list[Popular], books: tuple[PriceBook, NumberBook], *, began: datetime
) -> None:
    """Let the customer buy, every day or two, of this and that; among it goods, and numbers."""
    past.at(began + timedelta(hours=8), lambda _now: past.top_up(customer, 50 * MICROS))
    past.at(began + timedelta(days=19), lambda _now: past.top_up(customer, 25 * MICROS))
    days = (past.until - began).days - 1
    for place, ending in enumerate(ENDINGS):
        at = began + timedelta(days=0.5 + days * place / len(ENDINGS), hours=past.dice.uniform(0, 9))
        # From the front and from the back, where the goods are.
        one = popular[(place * 3) % len(popular)] if place % 4 else popular[-1 - place // 4 % 4]
        plan_purchase(past, one, customer, books[0], began=began, ending=ending, handle=HANDLE, at=at)
    # Goods of yesterday, of which one will be reported: see storefront.demo.history.claims.
    yesterday = past.until - timedelta(hours=20)
    plan_purchase(
        past, popular[-1], customer, books[0], began=began, ending=Status.COMPLETED, handle=HANDLE, at=yesterday
    )
    projects = popular_projects()
    if not projects:
        return
    for place, (how, after) in enumerate(own_endings()):
        at = past.until - timedelta(days=9 - 1.2 * place, hours=past.dice.uniform(1, 5))
        plan_rental(past, Rental(customer, at, projects[place % len(projects)], how, after), books[1])


def ask_for_refills(customer: User, staff: User, *, now: datetime) -> None:
    """Let the customer ask for refills of what allows them: one was arranged, one waits for an answer."""
    delivered = Order.objects.filter(user=customer, status=Status.COMPLETED, service__refill=True)
    orders = delivered.select_related("service").order_by("-id")[:2]
    for order, done in zip(orders, (False, True), strict=False):
        if ServiceRequest.Kind.REFILL not in allowed_requests(order):
            continue
        asked = request_service(order.pk, user=customer, kind=ServiceRequest.Kind.REFILL, now=now)
        # A rule may have answered it at once.
        if done and asked.state == ServiceRequest.State.OPEN:
            answer = "Topped up again. Thank you for telling us."
            close_request(asked.pk, state=ServiceRequest.State.DONE, answer=answer, actor=staff, now=now)


def begin_what_is_under_way(customer: User, popular: list[Popular], book: PriceBook, *, now: datetime) -> None:
    """Place orders that the workers will send as soon as they run, and one of a service that staff has just paused."""
    by_link = [one.service for one in popular if one.service.delivery == Delivery.LINK]
    by_link.sort(key=lambda service: not service.cancel)  # what can be canceled first: that can be tried then
    for service, word in zip(by_link, UNDER_WAY, strict=False):
        _place(customer, service, book, f"https://example.com/{HANDLE}/{word}", now=now)
    if len(by_link) > len(UNDER_WAY):
        last = by_link[-1]
        _place(customer, last, book, f"https://example.com/{HANDLE}", now=now)
        Service.objects.filter(pk=last.pk).update(paused_because=PAUSED, changed_at=now)


def _place(customer: User, service: Service, book: PriceBook, link: str, *, now: datetime) -> None:
    wanted = 2 * MICROS * service.rate_per // book.rate_micros(service)
    quantity = min(max(wanted // 100 * 100, service.min_quantity), service.max_orderable)
    request_id = f"demo-{link.rpartition('/')[2]}"
    place_order(user=customer, service=service, quantity=quantity, link=link, request_id=request_id, now=now)
