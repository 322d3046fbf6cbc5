"""The price digest: one mail with all that changed for a customer, at the customer's own prices, once."""

import itertools
from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import CustomerGroup
from catalog.models import Favorite, MarkupRule, Service
from notifications.choices import choose
from notifications.kinds import BELL, MAIL, PRICES
from notifications.models import Notice
from notifications.outbox import send_notices
from orders.models import Order, PriceDigestLook, WatchedPrice
from orders.notices.price_digest import send_price_digests
from tests.storefront.admin_rows import make_order, make_service

pytestmark = pytest.mark.django_db


@pytest.fixture
def eager(ann):
    """Ann, who wants mails about prices."""
    choose(ann, {(PRICES, MAIL): True})
    return ann


def reprice(service: Service, rate_upstream_micros: int) -> None:
    Service.objects.filter(pk=service.pk).update(rate_upstream_micros=rate_upstream_micros)


@pytest.fixture
def digest():
    """Send the digests of the next day."""
    days = itertools.count()
    began = timezone.now()
    return lambda: send_price_digests(now=began + timedelta(days=1, seconds=1) * next(days))


def test_send_price_digests_mails_favorites_and_last_months_orders_in_one_mail(eager, digest):
    liked, bought, neither = (make_service(number) for number in (1, 2, 3))
    Favorite.objects.create(user=eager, service=liked)
    make_order(eager, service=bought)
    assert digest() == 0  # the first time they are only remembered

    for service in (liked, bought, neither):
        reprice(service, 3_000_000)
    assert digest() == 1
    send_notices()

    (sent,) = mail.outbox
    assert sent.to == [eager.email]
    assert sent.body.count("$1.875 → $3.75 (+100%)") == 2
    assert liked.title in sent.body
    assert bought.title in sent.body
    assert neither.title not in sent.body


def test_send_price_digests_when_nothing_changed_since_sends_nothing(eager, digest):
    service = make_service(1)
    Favorite.objects.create(user=eager, service=service)
    digest()
    reprice(service, 3_000_000)

    assert [digest(), digest()] == [1, 0]
    assert Notice.objects.count() == 1


def test_send_price_digests_writes_to_a_customer_once_a_day(eager):
    service, now = make_service(1), timezone.now()
    Favorite.objects.create(user=eager, service=service)
    send_price_digests(now=now)
    reprice(service, 3_000_000)

    hours = [send_price_digests(now=now + timedelta(hours=hour)) for hour in (1, 23, 25, 26)]

    assert hours == [0, 0, 1, 0]


def test_send_price_digests_looks_once_a_day_into_a_customer_who_watches_nothing(eager, django_assert_num_queries):
    now = timezone.now()
    send_price_digests(now=now)

    with django_assert_num_queries(1):  # who is due
        send_price_digests(now=now + timedelta(minutes=30))

    assert PriceDigestLook.objects.get(user=eager).looked_at == now


def test_send_price_digests_speaks_of_the_customers_own_prices(eager, digest):
    eager.group = CustomerGroup.objects.create(name="Friends", discount_percent=10)
    eager.save(update_fields=["group"])
    service = make_service(1)
    Favorite.objects.create(user=eager, service=service)
    digest()

    MarkupRule.objects.create(scope="all", percent=100)
    digest()

    assert "$1.6875 → $2.70 (+60%)" in Notice.objects.get().body


def test_send_price_digests_when_not_wanted_sends_nothing(ann, digest):
    service = make_service(1)
    Favorite.objects.create(user=ann, service=service)
    digest()
    reprice(service, 3_000_000)

    assert digest() == 0
    assert not WatchedPrice.objects.exists()


def test_send_price_digests_leaves_out_old_orders_and_what_is_not_sold_any_more(eager, digest):
    old, withdrawn = make_service(1), make_service(2)
    Order.objects.filter(pk=make_order(eager, service=old).pk).update(created_at=timezone.now() - timedelta(days=31))
    Favorite.objects.create(user=eager, service=withdrawn)
    digest()
    Service.objects.filter(pk=withdrawn.pk).update(withdrawn_at=timezone.now())
    for service in (old, withdrawn):
        reprice(service, 3_000_000)

    assert digest() == 0


def test_send_price_digests_when_only_the_bell_is_wanted_then_no_mail_is_sent(ann, digest):
    choose(ann, {(PRICES, BELL): True})
    service = make_service(1)
    Favorite.objects.create(user=ann, service=service)
    digest()
    reprice(service, 3_000_000)

    assert digest() == 1
    notice = Notice.objects.get()
    assert (notice.in_bell, notice.url, notice.sent_at is not None) == (True, "/catalog/favorites/", True)
