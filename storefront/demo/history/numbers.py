"""One number in the past: rented, and its code came, or it expired, was given up, or was replaced by another one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.crypto import get_random_string

from accounts.models import User
from orders.models import Checkout, Kind, Order, OrderEvent, RefundReason, Status
from sms.models import Number, Project
from sms.pricing import NumberBook
from storefront.demo.history.past import Past
from upstream.sandbox.numbers import national_number

Code = OrderEvent.Code
State = Number.State
LIFETIME = timedelta(minutes=20)
REPLACED = "replaced"  # an ending beside the states of a number
SITES, COUNTRIES_OF_A_SITE = 6, 2
LATELY = timedelta(days=6, hours=20)  # within what success rates are counted over


@dataclass(frozen=True)
class Rental:
    """Who rents a number of what, and how it ends after so long."""

    user: User
    at: datetime
    project: Project
    ending: str
    after: timedelta


def plan_rental(past: Past, rental: Rental, book: NumberBook, *, replaces: Number | None = None) -> None:
    """Let this happen in the past; a number that is replaced is followed by one that gets its code."""
    _Rental(past, rental, book, replaces)


def plan_rentals(past: Past, people: list[User], book: NumberBook, *, began: datetime) -> None:
    """Let numbers of a few popular websites be rented: most in the last days, so that success rates can be told."""
    dice = past.dice
    for place, project in enumerate(popular_projects()):
        success, usual_seconds = 0.94 - 0.05 * (place % 8), 12 + 5 * (place % 7)
        for turn in range(26 + place % 5 + 8):
            first = past.until - LATELY if turn >= 8 else began + timedelta(days=8)
            last = past.until - timedelta(hours=1) if turn >= 8 else past.until - LATELY
            draw = dice.random()
            if draw < success:
                ending, after = State.RECEIVED, timedelta(seconds=usual_seconds * dice.lognormvariate(0, 0.4))
            elif draw < success + (1 - success) / 2:
                ending, after = State.EXPIRED, LIFETIME
            else:
                ending, after = State.CANCELED, timedelta(seconds=dice.randint(150, 600))
            moment = first + (last - first) * dice.random()
            plan_rental(past, Rental(dice.choice(people), moment, project, ending, after), book)


def popular_projects() -> list[Project]:
    """Return the projects that the past is about: some websites, each in a few countries, with all that is shown."""
    found: list[Project] = []
    for_sale = Project.objects.on_sale().filter(price_upstream_micros__gt=0).select_related("country", "site")
    places: dict[int, set[int]] = {}
    for project in for_sale.order_by("pk").iterator(chunk_size=500):
        countries = places.get(project.site_id)
        if countries is None and len(places) == SITES:
            continue
        countries = places.setdefault(project.site_id, set())
        if len(countries) < COUNTRIES_OF_A_SITE and project.country_id not in countries:
            countries.add(project.country_id)
            found.append(project)
        if len(found) == SITES * COUNTRIES_OF_A_SITE:
            break
    return found


class _Rental:
    """The steps of one number, each of which plans the next."""

    def __init__(self, past: Past, rental: Rental, book: NumberBook, replaces: Number | None) -> None:
        self.past, self.rental, self.book, self.replaces = past, rental, book, replaces
        past.at(rental.at, self.begin)

    def begin(self, now: datetime) -> None:
        past, project, user = self.past, self.rental.project, self.rental.user
        price_micros = self.book.price_micros(project)
        if not past.afford(user, price_micros):
            past.at(now + timedelta(minutes=2), self.begin)
            return
        self.order = Order(
            user=user, checkout=Checkout(user=user, request_id=get_random_string(22), fingerprint=""), kind=Kind.NUMBER,
            title=project.sold_title[:500], quantity=1, price_micros=price_micros, rate_micros=price_micros,
            rate_upstream_micros=project.price_upstream_micros, rate_per=1,
            cost_upstream_micros=project.price_upstream_micros,
            exchange_rate_micros=self.book.book.exchange_rate_micros, pricing=self.book.terms(project),
        )  # fmt: skip
        past.sell(self.order)
        self.number = Number(order=self.order, project=project, replaces=self.replaces, created_at=now)
        past.numbers.append(self.number)
        past.at(now + timedelta(milliseconds=400), self.send)

    def send(self, now: datetime) -> None:
        order = self.order
        order.status, order.attempts, order.sent_at = Status.SENDING, 1, now
        self.past.tell(order, Code.CLAIMED)
        self.past.at(now + timedelta(milliseconds=500), self.accepted)

    def accepted(self, now: datetime) -> None:
        order, number, past = self.order, self.number, self.past
        order.status, order.answered_at, order.upstream_id = Status.PENDING, now, past.next_upstream_id()
        country = number.project.country
        digits = national_number(country.code.lower(), past.dice.randint(10**9, 10**10 - 1))
        number.state, number.phone, number.expires_at = State.WAITING, digits, now + LIFETIME
        past.tell(order, Code.ACCEPTED, upstream_id=order.upstream_id)
        past.at(now + self.rental.after, self.ended)

    def ended(self, now: datetime) -> None:
        order, number, ending = self.order, self.number, self.rental.ending
        order.finished_at = order.polled_at = now
        if ending == State.RECEIVED:
            number.state, number.received_at = State.RECEIVED, now
            number.code = f"{self.past.dice.randint(100_000, 999_999)}"
            number.content = f"Your verification code is {number.code}"
            order.status, order.remains, order.upstream_word = Status.COMPLETED, 0, "code_received"
            order.charge_upstream_micros = order.cost_upstream_micros
            self.past.tell(order, Code.COMPLETED, {"start_count": None, "remains": 0, "quantity": 1})
            return
        number.state = State.EXPIRED if ending == State.EXPIRED else State.CANCELED
        if ending == State.CANCELED:
            number.cancel_requested_at = now - timedelta(seconds=5)
        order.status, order.upstream_word, order.charge_upstream_micros = Status.CANCELED, "expired", 0
        replaced = {"by": "replacement"}
        shown = {"start_count": None, "remains": None, "quantity": 1}
        self.past.tell(order, Code.CANCELED, replaced if ending == REPLACED else shown)
        self.past.refund(order, order.price_micros, why=WHY[ending])
        if ending == REPLACED:
            after = timedelta(seconds=self.past.dice.randint(9, 40))
            next_one = Rental(self.rental.user, now, number.project, State.RECEIVED, after)
            plan_rental(self.past, next_one, self.book, replaces=number)


WHY = {
    State.EXPIRED: RefundReason.EXPIRED,
    State.CANCELED: RefundReason.CANCELED_BY_CUSTOMER,
    REPLACED: RefundReason.REPLACED,
}


def own_endings() -> Iterator[tuple[str, timedelta]]:
    """Yield how the numbers of the demo's customer ended, and after how long."""
    yield State.RECEIVED, timedelta(seconds=14)
    yield State.RECEIVED, timedelta(seconds=31)
    yield State.EXPIRED, LIFETIME
    yield REPLACED, timedelta(seconds=150)
    yield State.RECEIVED, timedelta(seconds=9)
    yield State.CANCELED, timedelta(seconds=200)
    yield State.RECEIVED, timedelta(seconds=22)
