"""What lies around in a shop that is in use: a coupon, favorites, an alert, former prices, a key, mails that left."""

import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from django.db.models import F, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from accounts.keys.api_keys import create_api_key
from accounts.models import ApiKey, ApiKeySpending, User
from accounts.sign_up.referrals import referral_code_of
from catalog.models import Category, Favorite, PricePoint, Service, StockAlert
from notifications.models import Notice
from orders.models import Coupon, CouponMaker, DeliveredGoods, Kind, Order, UpstreamBalance, UpstreamEntry
from orders.notices.customer_notices import announce
from storefront.demo.history.popular import Popular
from upstream.money import text_from_micros

COUPON = "WELCOME10"
FAVORITES = 6
NEW_SERVICES = 5
UNREAD_NEWS = 3


def make_coupon(maker: User, *, began: datetime) -> Coupon:
    """Create the coupon of first orders, which staff made before anything was sold."""
    coupon = Coupon.objects.create(code=COUPON, percent=Decimal(10), first_purchase_only=True, created_at=began)
    CouponMaker.objects.create(coupon=coupon, user=maker, created_at=began)
    return coupon


def keep_what_customers_keep(customer: User, popular: list[Popular], *, now: datetime) -> None:
    """Give the customer favorites, an alert for something sold out, and a link that brought others."""
    referral_code_of(customer)
    Favorite.objects.bulk_create(
        Favorite(user=customer, service=one.service, created_at=now - timedelta(days=3 * place + 1))
        for place, one in enumerate(popular[:FAVORITES])
    )
    sold_out = Service.objects.on_sale().filter(stock=0).order_by("pk").first()
    if sold_out is not None:
        StockAlert.objects.create(user=customer, service=sold_out, created_at=now - timedelta(days=2))


def make_key_in_use(customer: User, *, began: datetime, now: datetime) -> None:
    """Give the customer a key for the API that has been called through the weeks, and has spent on some days."""
    key, _text = create_api_key(user=customer, name="My panel", daily_limit_micros=200_000_000)
    ApiKey.objects.filter(pk=key.pk).update(
        created_at=began, last_used_at=now - timedelta(minutes=17), last_used_from="203.0.113.24"
    )
    days = Order.objects.filter(user=customer, kind=Kind.SERVICE).annotate(day=TruncDate("created_at"))
    spent = days.order_by("day").values("day").annotate(micros=Sum("price_micros")).values_list("day", "micros")
    ApiKeySpending.objects.bulk_create(ApiKeySpending(key=key, day=day, spent_micros=micros) for day, micros in spent)


def tell_customer_of_the_past(customer: User) -> None:
    """Write the news the customer got about their orders; they have left long ago, and the last few are unread."""
    orders = Order.objects.finished().filter(user=customer, kind=Kind.SERVICE).select_related("user", "goods")
    for order in orders.order_by("finished_at"):
        announce([order], now=order.finished_at or order.created_at)
    told = Notice.objects.filter(user=customer)
    told.filter(sent_at=None).update(sent_at=F("created_at"), tries=1)
    newest = list(told.order_by("-id").values_list("pk", flat=True)[:UNREAD_NEWS])
    told.exclude(pk__in=newest).update(read_at=F("created_at"))


def prove_goods() -> None:
    """Take as proved that goods come with the status where they have, as the first such order would prove it."""
    came_at = dict(
        DeliveredGoods.objects.order_by("-received_at").values_list("order__service__category", "received_at")
    )
    for category, moment in came_at.items():
        Category.objects.filter(pk=category, vault_proved_at=None).update(vault_proved_at=moment)


def know_services_since(began: datetime, *, now: datetime) -> None:
    """Say that the catalog has been known for so long, and a few services since yesterday only."""
    newest_first = Service.objects.order_by("-upstream_id").values_list("upstream_id", flat=True)
    last_old = next(iter(newest_first[NEW_SERVICES : NEW_SERVICES + 1]), 0)
    Service.objects.filter(upstream_id__lte=last_old).update(first_seen_at=began, changed_at=began)
    Service.objects.filter(upstream_id__gt=last_old).update(first_seen_at=now - timedelta(days=1))


def remember_prices(popular: Sequence[Popular], dice: random.Random, *, began: datetime, now: datetime) -> None:
    """Give what sells a few former prices, a step or two away from today's."""
    points = []
    for each in popular:
        day, micros = timezone.localdate(began), each.service.selling_per_thousand_micros
        former = [micros * dice.choice((88, 94, 106, 112)) // 100 for _step in range(dice.randint(1, 3))]
        for price in [*former, micros]:
            points.append(PricePoint(service=each.service, day=day, selling_per_thousand_micros=price))
            day = min(day + timedelta(days=dice.randint(6, 10)), timezone.localdate(now))
    PricePoint.objects.bulk_create(points)


def write_upstream_books(balance_micros: int, *, began: datetime, now: datetime) -> None:
    """Begin the books of the upstream account with what it must have held, and note what it held every day."""
    charged = list(
        Order.objects.filter(upstream_id__isnull=False, finished_at__isnull=False)
        .order_by("finished_at")
        .values_list("finished_at", "charge_upstream_micros")
    )
    held = balance_micros + sum(charge or 0 for _at, charge in charged)
    UpstreamEntry.objects.create(
        kind=UpstreamEntry.Kind.OPENING, amount_upstream_micros=held, note=text_from_micros(held), created_at=began
    )
    rows, moment = [], began
    while moment < now:
        gone = sum(charge or 0 for at, charge in charged if at is not None and at <= moment)
        rows.append(UpstreamBalance(amount_upstream_micros=held - gone, asked_at=moment))
        moment += timedelta(days=1)
    UpstreamBalance.objects.bulk_create(rows)
