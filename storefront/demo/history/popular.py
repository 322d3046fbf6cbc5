"""What the demo's customers bought again and again: some forty services, each with a pace and habits of its own."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import zip_longest

from django.db.models import Count

from accounts.models import User
from catalog.models import Category, Delivery, OrderForm, Service
from catalog.pricing import PriceBook
from orders.models import Coupon, Status
from storefront.demo.history.past import Past
from storefront.demo.history.people import link_for
from storefront.demo.history.sales import Plan, plan_sale
from upstream.money import MICROS

HOW_MANY, GOODS = 40, 8
NETWORKS = 12  # the largest categories
LEAST_ORDERS = 34  # of each, the canceled ones among them: at least thirty that finished
ORDERS_OF_THE_REFERRED = 7
LOOKED_AT = 60  # services of a category
LARGEST_PRICE_MICROS = 9 * MICROS
MOST_GOODS = 4
FAILED = 0.006  # of all orders: upstream refused them
# How busy each hour of the day is.
HOURS = (1, 1, 1, 1, 1, 2, 3, 5, 7, 9, 10, 10, 9, 9, 10, 10, 11, 12, 13, 14, 13, 10, 6, 3)


@dataclass(frozen=True)
class Popular:
    """A service, and what its orders are like."""

    service: Service
    price_micros: int  # about what an order of it costs
    starts_after: timedelta
    takes: timedelta
    partial: float
    canceled: float

    def quantity(self, book: PriceBook, dice: random.Random) -> int:
        """Return a round quantity that somebody might want."""
        service = self.service
        if service.delivery == Delivery.VAULT:
            return max(service.min_quantity, dice.randint(1, MOST_GOODS))
        wanted = self.price_micros * dice.uniform(0.4, 1.6) * service.rate_per / book.rate_micros(service)
        step = 50 if wanted < 1000 else 500
        return min(max(round(wanted / step) * step, service.min_quantity, 1), service.max_orderable)


def choose_services(book: PriceBook, dice: random.Random) -> list[Popular]:
    """Return the services of the largest categories in turn, goods among them, whose orders cost a few dollars."""
    by_size = Category.objects.filter(visible=True).annotate(size=Count("services")).order_by("-size", "pk")
    rows = [row for category in by_size if (row := _fitting(category, book))]
    goods = [row for row in rows if row[0].delivery == Delivery.VAULT]
    networks = [row for row in rows if row[0].delivery != Delivery.VAULT]
    of_goods = _in_turn(goods)[:GOODS]
    of_networks = [*_in_turn(networks[:NETWORKS]), *_in_turn(networks[NETWORKS:])][: HOW_MANY - len(of_goods)]
    return [_habits(service, dice) for service in (*of_networks, *of_goods)]


def plan_purchases(past: Past, popular: list[Popular], people: list[User], book: PriceBook, *, began: datetime) -> None:
    """Let the customers buy them through the weeks, the first ones most of all; who was referred tries a few."""
    regulars = [user for user in people if user.referred_by is None]
    for place, one in enumerate(popular):
        for _each in range(LEAST_ORDERS + max(0, 40 - 4 * place)):
            plan_purchase(past, one, past.dice.choice(regulars), book, began=began)
    for user in people:
        for _each in range(ORDERS_OF_THE_REFERRED if user.referred_by is not None else 0):
            plan_purchase(past, past.dice.choice(popular), user, book, began=began)


def plan_purchase(
    past: Past, one: Popular, user: User, book: PriceBook, *, began: datetime, ending: Status | None = None,
    handle: str = "", coupon: Coupon | None = None, at: datetime | None = None,
) -> None:  # fmt: skip
    """Let somebody buy this one at some moment, early enough to be finished by now."""
    dice, service = past.dice, one.service
    quantity = one.quantity(book, dice)
    if ending is None:
        draw = dice.random()
        ending = Status.CANCELED if draw < one.canceled else Status.COMPLETED
        if draw > 1 - FAILED:
            ending = Status.FAILED
        if one.canceled <= draw < one.canceled + one.partial and quantity > 1:
            ending = Status.PARTIAL
    starts_after, takes = one.starts_after * _varied(dice), one.takes * _varied(dice)
    last = past.until - starts_after - takes - timedelta(minutes=30)
    plan = Plan(
        user=user,
        at=at or min(_moment(dice, began, past.until), last),
        service=service,
        quantity=quantity,
        link="" if service.delivery == Delivery.VAULT else link_for(service, dice, handle),
        ending=ending,
        starts_after=starts_after,
        takes=takes,
        remains=dice.randint(1, max(1, quantity // 2)) if ending == Status.PARTIAL else 0,
        coupon=coupon,
    )
    plan_sale(past, plan, book)


def _in_turn(rows: list[list[Service]]) -> list[Service]:
    """Return the first of each row, then the second of each, and so on."""
    return [service for turn in zip_longest(*rows) for service in turn if service is not None]


def _fitting(category: Category, book: PriceBook) -> list[Service]:
    services = Service.objects.on_sale().with_price().filter(category=category).select_related("category")
    return [service for service in services.order_by("position", "pk")[:LOOKED_AT] if _fits(service, book)]


def _fits(service: Service, book: PriceBook) -> bool:
    if service.order_form != OrderForm.QUANTITY or not service.orderable or service.delivery == Delivery.EMAIL:
        return False
    most = MOST_GOODS if service.delivery == Delivery.VAULT else service.min_quantity
    enough = service.max_orderable >= most >= service.min_quantity
    return enough and 0 < book.price_micros(service, most) <= LARGEST_PRICE_MICROS * 2


def _habits(service: Service, dice: random.Random) -> Popular:
    if service.delivery == Delivery.VAULT:
        starts, takes = dice.uniform(5, 20), dice.uniform(10, 60)
    else:
        starts, takes = 60 * dice.lognormvariate(2.0, 0.8), 60 * dice.lognormvariate(4.2, 1.0)
    return Popular(
        service=service,
        price_micros=int(dice.uniform(0.8, 6) * MICROS),
        starts_after=timedelta(seconds=min(starts, 6 * 3600)),
        takes=timedelta(seconds=min(takes, 30 * 3600)),
        partial=dice.uniform(0.01, 0.07),
        canceled=dice.uniform(0.01, 0.06),
    )


def _varied(dice: random.Random) -> float:
    return min(dice.lognormvariate(0, 0.5), 4.0)


def _moment(dice: random.Random, began: datetime, until: datetime) -> datetime:
    """Return a moment between the two, at an hour when people are awake, and rather later than earlier."""
    days = max(1, (until - began).days)
    day = until - timedelta(days=days * (1 - dice.random() ** 0.8))
    (hour,) = dice.choices(range(24), HOURS)
    moment = day.replace(hour=hour, minute=dice.randrange(60), second=dice.randrange(60))
    return min(max(moment, began), until)
