"""One notice of all the prices that changed for a customer who wants it: of favorites, and of last month's orders."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.templatetags.money import money
from catalog.models import Favorite, Service
from catalog.pricing import price_book
from notifications.choices import who_wants
from notifications.kinds import KINDS, PRICES
from notifications.models import Notice
from notifications.outbox import ASKED_FOR, write_notices
from orders.models import PriceDigestLook, WatchedPrice
from orders.preferences import PRICE_DIGEST

log = structlog.get_logger(__name__)

BOUGHT_WITHIN = timedelta(days=30)
MAX_LINES = 40


@dataclass(frozen=True)
class PriceMove:
    """How the selling rate per 1,000 of one service moved since the customer was last told, in store micros."""

    service: Service
    before_micros: int
    after_micros: int

    @property
    def percent(self) -> int:
        """The move in percent of the old price, rounded to a whole number."""
        return round(100 * (self.after_micros - self.before_micros) / self.before_micros)


def send_price_digests(*, now: datetime) -> int:
    """Tell each customer who wants it what changed since the last digest, at their own prices; return how many mails.

    One whose last digest was looked into too short a time ago waits. A price that is seen for the
    first time is only remembered. What is mailed and what is remembered are one transaction, so that a digest is
    neither lost nor sent twice.
    """
    mails = 0
    since = now - PRICE_DIGEST.value
    lately = PriceDigestLook.objects.filter(user=OuterRef("pk"), looked_at__gt=since)
    wanted = who_wants(KINDS[PRICES], User.objects.filter(~Exists(lately), is_active=True))
    for user in wanted.select_related("group").iterator():
        try:
            mails += _digest(user, now)
        except Exception:  # the others must not wait for this one
            log.exception("price_digest_failed", user_id=user.pk)
    return mails


def _digest(user: User, now: datetime) -> bool:
    # Two lists of ids, which both have their index: over two joins every order of each service was read.
    bought = user.orders.filter(created_at__gte=now - BOUGHT_WITHIN, service__isnull=False).order_by()
    chosen = Q(pk__in=Favorite.objects.filter(user=user).order_by().values("service"))
    watched = Service.objects.on_sale().with_price().filter(chosen | Q(pk__in=bought.values("service")))
    book = price_book(user, now=now)
    prices = {service: book.rate_per_thousand_micros(service) for service in watched.select_related("category")}
    known = dict(WatchedPrice.objects.filter(user=user).values_list("service_id", "rate_per_thousand_micros"))
    moves = [
        PriceMove(service, known[service.pk], price)
        for service, price in prices.items()
        if service.pk in known and known[service.pk] != price and known[service.pk] > 0
    ]
    with transaction.atomic():
        PriceDigestLook.objects.update_or_create(user=user, defaults={"looked_at": now})
        _remember(user, known, prices, now)
        if moves:
            write_notices([notice_of_moves(user, moves, now)])
    return bool(moves)


def _remember(user: User, known: dict[int, int], prices: dict[Service, int], now: datetime) -> None:
    """Keep the prices as they are told now, writing only what differs; what is not watched any more is forgotten."""
    if gone := known.keys() - {service.pk for service in prices}:
        WatchedPrice.objects.filter(user=user, service__in=gone).delete()
    WatchedPrice.objects.bulk_create(
        (
            WatchedPrice(user=user, service=service, rate_per_thousand_micros=price, updated_at=now)
            for service, price in prices.items()
            if known.get(service.pk) != price
        ),
        update_conflicts=True,
        unique_fields=["user", "service"],
        update_fields=["rate_per_thousand_micros", "updated_at"],
    )


def notice_of_moves(user: User, moves: Iterable[PriceMove], now: datetime) -> Notice:
    """Return what the customer is told of these, the biggest first; it is not written yet."""
    biggest = sorted(moves, key=lambda move: (-abs(move.percent), move.service.pk))
    with translation.override(user.mail_language):
        lines = [
            {
                "title": move.service.title,
                "before": money(move.before_micros),
                "after": money(move.after_micros),
                "percent": f"{'+' if move.percent > 0 else ''}{number_format(move.percent)}",
                "url": settings.SITE_URL + reverse("orders:place", args=[move.service.pk]),
            }
            for move in biggest[:MAX_LINES]
        ]
        body = render_to_string(
            "orders/mail/prices.txt", {"lines": lines, "more": max(len(biggest) - MAX_LINES, 0)}
        ).strip()
        return Notice(
            user=user,
            key=f"{ASKED_FOR}prices:{user.pk}:{now:%Y-%m-%dT%H:%M:%S}",
            kind=PRICES,
            url=reverse("catalog:favorites"),
            subject=_("Prices of services you use have changed"),
            body=body,
            created_at=now,
        )
