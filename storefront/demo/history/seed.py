"""Seeding: five weeks of a shop, written in one transaction, once."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from accounts.models import User
from catalog.pricing import PriceBook, price_book
from orders.accounting.daily_totals.keeping import keep_totals
from orders.accounting.purchase_counts import count_purchases
from orders.accounting.service_quality import measure_quality
from orders.lifecycle.goods import keep_goods
from orders.models import Coupon, Order, Status
from sms.pricing import number_book
from sms.queries.success_rates import count_success_rates
from storefront.demo.history import claims, keepsakes, own, questions
from storefront.demo.history.news import write_news
from storefront.demo.history.numbers import plan_rentals
from storefront.demo.history.past import Past
from storefront.demo.history.people import make_people
from storefront.demo.history.popular import Popular, choose_services, plan_purchase, plan_purchases
from storefront.demo.history.service_news import remember_news
from wallet.models import LedgerEntry

LONG = timedelta(days=35)
QUIET_BEFORE = timedelta(minutes=20)  # of the last thing that happened before the first visitor came
USES_OF_THE_COUPON = 5


@dataclass(frozen=True)
class OpeningMoney:
    """What the demo's customer was given by hand at the very beginning, in micros."""

    micros: int
    reference: str
    note: str


def seed(*, customer: User, staff: User, opening: OpeningMoney, balance_upstream_micros: int, now: datetime) -> bool:
    """Write the past of a shop in which nothing has been sold yet; return False, and change nothing, in any other.

    `balance_upstream_micros` is what the upstream account holds now. The catalog has to be there.
    """
    if Order.objects.exists() or LedgerEntry.objects.exists():
        return False
    # The same past for every demo: what can be seen in one can be looked for in another.
    dice = random.Random("the past of the demo")  # noqa: S311 - nothing secret
    until, began = now - QUIET_BEFORE, now - LONG
    with transaction.atomic():
        User.objects.filter(pk__in=(customer.pk, staff.pk)).update(date_joined=began - timedelta(days=1))
        people = make_people(referrer=customer, joined=began - timedelta(days=2))
        coupon = keepsakes.make_coupon(staff, began=began)
        books = price_book(None, now=now), number_book(None)
        popular = choose_services(books[0], dice)
        past = Past(dice=dice, clock=began, until=until)
        _begin(past, customer, opening, began)
        if popular:
            _welcome(past, people, popular, books[0], coupon, began=began)
            plan_purchases(past, popular, people, books[0], began=began + timedelta(days=1))
            own.plan_own(past, customer, popular, books, began=began)
        plan_rentals(past, people, books[1], began=began)
        past.live_through()
        past.write()
        Coupon.objects.filter(pk=coupon.pk).update(uses=coupon.uses)
        for order, lines in past.delivered:
            keep_goods(order, lines, order.finished_at or now)
        keepsakes.prove_goods()
        keepsakes.know_services_since(began - timedelta(days=2), now=now)
        keepsakes.write_upstream_books(balance_upstream_micros, began=began, now=until)
        keepsakes.make_key_in_use(customer, began=began, now=now)
        keepsakes.keep_what_customers_keep(customer, popular, now=now)
        keepsakes.tell_customer_of_the_past(customer)
        keepsakes.remember_prices(popular, dice, began=began, now=now)
        remember_news(now=now)
    count_purchases(now=now)
    count_success_rates(now)
    measure_quality(now=now)
    own.ask_for_refills(customer, staff, now=now)
    claims.report_goods(customer, staff, now=now)
    own.begin_what_is_under_way(customer, popular, books[0], now=now)
    write_news(staff, dice, now=now)
    questions.ask_in_the_past(people, staff, dice, now=now)
    questions.ask_what_rules_answer(customer, now=now)
    questions.ask_as_the_customer(customer, staff, now=now)
    keep_totals(now=now)
    return True


def _begin(past: Past, customer: User, opening: OpeningMoney, began: datetime) -> None:
    def give(_now: datetime) -> None:
        kind = LedgerEntry.Kind.ADJUSTMENT
        past.book(customer, opening.micros, kind, reference=opening.reference, note=opening.note)

    past.at(began, give)


def _welcome(
    past: Past, people: list[User], popular: list[Popular], book: PriceBook, coupon: Coupon, *, began: datetime
) -> None:
    """Let some customers begin with the coupon for first orders, before anybody buys anything else."""
    for place, user in enumerate(people[:USES_OF_THE_COUPON]):
        one, at = popular[place % len(popular)], began + timedelta(hours=2 + 3 * place)
        plan_purchase(past, one, user, book, began=began, ending=Status.COMPLETED, coupon=coupon, at=at)
