"""Waiting for a sold-out service: the button, the list, and one mail when it is back."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core import mail
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog import tasks
from catalog.models import Category, Service, StockAlert
from catalog.operations.back_in_stock import send_stock_alerts
from catalog.operations.stock import refresh_stock
from catalog.operations.stock_alerts import NotSoldOut, mark_notified, open_stock_alert
from notifications.choices import choose
from notifications.kinds import MAIL, ORDERS
from notifications.models import Notice
from notifications.outbox import send_notices
from tests.pages import page_words
from tests.workers import wait_for

pytestmark = pytest.mark.sqlite

UPSTREAM_ID = 900_001


@pytest.fixture
def sold_out(service, sandbox):
    """The service of everybody's tests, sold out here and upstream."""
    Service.objects.filter(pk=service.pk).update(stock=0)
    sandbox.set_service(UPSTREAM_ID, stock=0)
    service.refresh_from_db()
    return service


@pytest.fixture
def alert(ann, sold_out):
    """Ann waits for the service."""
    return open_stock_alert(ann, sold_out)


@pytest.fixture
def shop(client, ann):
    """Ann's browser."""
    client.force_login(ann)
    return client


def back_in_stock(**fields) -> None:
    Service.objects.filter(upstream_id=UPSTREAM_ID).update(**{"stock": 50, **fields})


def press(client, service, **form):
    return client.post(reverse("orders:stock_alert", args=[service.pk]), form)


def test_the_page_of_a_sold_out_service_offers_to_tell_and_then_says_it_will(shop, ann, sold_out):
    address = reverse("orders:place", args=[sold_out.pk])

    before = page_words(shop.get(address))
    answer = press(shop, sold_out)
    after = page_words(shop.get(address))

    assert "Sold out" in before
    assert "Notify me when it's back" in before
    assert answer.url == address
    assert StockAlert.objects.get().user == ann
    assert "We'll write to ann@example.com as soon as it can be ordered again." in after
    assert "Notify me when it's back" not in after


def test_a_visitor_is_led_to_sign_in_and_back_to_the_page(client, sold_out):
    address = reverse("orders:place", args=[sold_out.pk])

    page = client.get(address).content.decode()
    pressed = press(client, sold_out)

    assert f'href="/accounts/login/?next={address}"' in page
    assert pressed.url == f"/accounts/login/?next={address}"
    assert StockAlert.objects.count() == 0


def test_a_service_that_can_be_ordered_offers_no_stock_alert(shop, service):
    page = page_words(shop.get(reverse("orders:place", args=[service.pk])))

    answer = press(shop, service)

    assert "Notify me when it's back" not in page
    assert "nothing to wait for" in page_words(shop.get(answer.url))
    assert StockAlert.objects.count() == 0


def test_open_stock_alert_twice_is_one_alert(ann, sold_out, alert):
    assert open_stock_alert(ann, sold_out) == alert


@pytest.mark.parametrize("fields", [{"stock": None}, {"stock": 10}, {"visible": False}, {"type": "Poll"}])
def test_open_stock_alert_of_what_does_not_lack_stock_is_refused(ann, sold_out, fields):
    Service.objects.filter(pk=sold_out.pk).update(**fields)

    with pytest.raises(NotSoldOut):
        open_stock_alert(ann, Service.objects.get(pk=sold_out.pk))


def test_stop_forgets_ones_own_alert_alone_and_leads_back(shop, ann, ben, sold_out, alert):
    open_stock_alert(ben, sold_out)

    answer = press(shop, sold_out, stop="1", next=reverse("account"))

    assert answer.url == reverse("account")
    assert StockAlert.objects.get().user == ben


def test_stop_leads_to_no_strange_address(shop, sold_out, alert):
    answer = press(shop, sold_out, stop="1", next="https://evil.example/")

    assert answer.url == reverse("orders:place", args=[sold_out.pk])


def test_the_account_lists_what_one_waits_for(shop, ben, sold_out, alert):
    open_stock_alert(ben, sold_out)

    page = page_words(shop.get(reverse("account")))

    assert page.count("Instagram Followers, real Instagram") == 1
    assert "None right now" not in page


# --- The mail -------------------------------------------------------------------------------------------------------
def test_send_stock_alerts_when_it_is_back_mails_each_once_with_the_link(ann, ben, sold_out, alert, settings):
    open_stock_alert(ben, sold_out)
    nothing_yet = send_stock_alerts()
    back_in_stock()

    sent = [send_stock_alerts(), send_stock_alerts()]
    send_notices()

    assert (nothing_yet, sent) == (0, [2, 0])
    assert sorted(message.to for message in mail.outbox) == [[ann.email], [ben.email]]
    assert mail.outbox[0].subject == "Storefront: Back in stock: Instagram Followers, real"
    assert f"{settings.SITE_URL}/order/{sold_out.pk}/" in mail.outbox[0].body
    assert "“Back in stock”" in mail.outbox[0].body
    assert "“Orders”" not in mail.outbox[0].body
    alert.refresh_from_db()
    assert alert.notified_at is not None


def test_send_stock_alerts_writes_in_the_customers_language(ann, alert):
    User.objects.filter(pk=ann.pk).update(language="ru")
    back_in_stock()

    send_stock_alerts()
    send_notices()

    assert "Есть вопросы?" in mail.outbox[0].body


def test_send_stock_alerts_reaches_a_customer_who_wants_no_mail_about_orders(ann, alert):
    choose(ann, {(ORDERS, MAIL): False})
    back_in_stock()

    send_stock_alerts()
    send_notices()

    assert [message.to for message in mail.outbox] == [[ann.email]]


@pytest.mark.parametrize(
    "fields",
    [
        {"stock": 5},  # fewer than the smallest order
        {"withdrawn_at": timezone.now()},
        {"visible": False},
        {"paused_because": "Checking the price"},
        {"type": "Poll"},
    ],
)
def test_send_stock_alerts_waits_while_the_service_cannot_be_ordered(alert, fields):
    back_in_stock(**fields)

    assert (send_stock_alerts(), Notice.objects.count()) == (0, 0)


def test_send_stock_alerts_waits_while_the_category_is_hidden(alert):
    back_in_stock()
    Category.objects.update(visible=False)

    assert send_stock_alerts() == 0


def test_send_stock_alerts_leaves_out_who_cannot_sign_in(ann, alert):
    back_in_stock()
    User.objects.filter(pk=ann.pk).update(is_active=False)

    assert send_stock_alerts() == 0


def test_mark_notified_of_an_alert_that_is_closed_or_canceled_says_so(alert):
    assert [mark_notified(alert, now=timezone.now()), mark_notified(alert, now=timezone.now())] == [True, False]

    StockAlert.objects.all().delete()

    assert not mark_notified(alert, now=timezone.now())


def test_after_an_alert_one_can_wait_again(ann, sold_out, alert):
    back_in_stock()
    send_stock_alerts()
    back_in_stock(stock=0)
    open_stock_alert(ann, Service.objects.get(pk=sold_out.pk))
    back_in_stock()

    assert (send_stock_alerts(), Notice.objects.count()) == (1, 2)


@pytest.mark.django_db(transaction=True)
def test_send_stock_alerts_by_many_at_once_writes_one_mail(ann, alert):
    back_in_stock()

    def tell(_number: int) -> int:
        try:
            return send_stock_alerts()
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as workers:
        assert sum(workers.map(tell, range(4))) == 1
    assert Notice.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_send_stock_alerts_that_dies_before_its_mail_is_written_sends_them_the_next_time(ann, alert):
    back_in_stock()
    trap = "CREATE TRIGGER trap BEFORE INSERT ON notifications_notice BEGIN SELECT RAISE(ABORT, 'died'); END"
    if connection.vendor == "postgresql":
        trap = "ALTER TABLE notifications_notice ADD CONSTRAINT trap CHECK (subject = '')"
    undo = (
        "DROP TRIGGER trap"
        if connection.vendor == "sqlite"
        else "ALTER TABLE notifications_notice DROP CONSTRAINT trap"
    )
    with connection.cursor() as cursor:
        cursor.execute(trap)
    try:
        with pytest.raises(Exception, match=r"died|trap"):
            send_stock_alerts()
    finally:
        with connection.cursor() as cursor:
            cursor.execute(undo)

    assert (StockAlert.objects.get().notified_at, Notice.objects.count()) == (None, 0)
    assert (send_stock_alerts(), Notice.objects.count()) == (1, 1)


@pytest.mark.django_db(transaction=True)
def test_refresh_stock_when_it_came_back_wakes_a_worker(sold_out, sandbox, redis_server):
    sandbox.set_service(UPSTREAM_ID, stock=100)

    refresh_stock(sold_out)

    wait_for(lambda: woken(redis_server), "the message is on its way in a thread")


@pytest.mark.django_db(transaction=True)
def test_sync_catalog_when_it_brought_stock_back_wakes_a_worker_who_sends_alerts(alert, sandbox, redis_server):
    sandbox.set_service(UPSTREAM_ID, stock=100)

    tasks.sync_catalog()

    wait_for(lambda: woken(redis_server), "the message is on its way in a thread")
    assert send_stock_alerts() == 1


def woken(redis_server) -> bool:
    return any(b"send_stock_alerts" in message for message in redis_server.lrange("sync", 0, -1))
