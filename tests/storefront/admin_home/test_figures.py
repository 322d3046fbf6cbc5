"""Today beside the same part of the day a week ago, thirty days, what sells; and how the shop is doing."""

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Service, SyncRun
from orders.accounting.report import Span, report, sold_by_day
from orders.fulfilment.pauses import end_pause, pause_forwarding
from orders.models import ForwardingPause, Order, Status, UpstreamBalance
from sms.models import Country, Number, Project, Site
from storefront.admin_home import figures
from storefront.admin_home.figures import (
    best_numbers,
    best_services,
    books_of_today,
    customers_of_today,
    numbers_of_today,
    part_of_day,
    thirty_days,
)
from storefront.configuration.queues import QUEUES
from storefront.demo.processes import free_port
from storefront.models import Backup
from storefront.monitoring.health import HEARTBEAT_KEY, note_heartbeat
from tests.security.staff import at_the_admin, with_rights
from tests.storefront.admin_rows import make_order, make_service
from upstream.client import default_client
from wallet.models import LedgerEntry
from wallet.operations import wallet_of

pytestmark = pytest.mark.django_db
HOME = reverse("admin:index")
DOLLAR = 1_000_000
NOON = datetime(2026, 10, 14, 12, 0, tzinfo=UTC)
Kind = LedgerEntry.Kind


@pytest.fixture
def buyer(db: None) -> User:
    """A customer without a ledger."""
    return User.objects.create_user("eve@example.com", "x")


@pytest.fixture
def service(db: None) -> Service:
    return make_service(1)


def book(user: User, kind: str, dollars: float, at: datetime, reference: str = "") -> None:
    reference = reference or f"{kind}:{LedgerEntry.objects.count()}"
    micros = int(dollars * DOLLAR)
    LedgerEntry.objects.create(
        wallet=wallet_of(user), kind=kind, amount_micros=micros, reference=reference, created_at=at
    )


def sell(user: User, service: Service, at: datetime, *, price: float, cost: float) -> Order:
    book(user, Kind.CHARGE, -price, at)
    micros = {"price_micros": int(price * DOLLAR), "cost_upstream_micros": int(cost * DOLLAR)}
    number = str(Order.objects.count() + 1)
    return make_order(user, service=service, created_at=at, upstream_id=number, **micros)


def days_before(days: int, **time: int) -> datetime:
    return NOON - timedelta(days=days, **time)


def shown(figures: list[Any]) -> list[tuple[str, str, str, str, bool | None]]:
    return [(each.title, each.today, each.before, each.change, each.good) for each in figures]


# --- Today ------------------------------------------------------------------------------------------------------------
def test_today_counts_up_to_the_same_time_of_last_weeks_day(buyer: User, service: Service) -> None:
    sell(buyer, service, NOON - timedelta(hours=11, minutes=59), price=10, cost=4)
    sell(buyer, service, NOON - timedelta(minutes=1), price=5, cost=2)
    sell(buyer, service, days_before(0, hours=13), price=100, cost=1)  # yesterday
    sell(buyer, service, days_before(7, hours=1), price=20, cost=5)
    sell(buyer, service, days_before(7) + timedelta(minutes=1), price=1000, cost=1)  # later that day
    book(buyer, Kind.REFUND, 3, NOON - timedelta(hours=2))
    book(buyer, Kind.REFUND, 1, days_before(7, hours=2))
    book(buyer, Kind.DISCOUNT, 0.5, NOON - timedelta(hours=2))

    assert shown(books_of_today(NOON)) == [
        ("Sales", "$15.00", "$20.00", "−25%", False),
        ("Margin", "$5.50", "$14.00", "−61%", False),
        ("Refunds", "$3.00", "$1.00", "+200%", False),
    ]


def test_today_without_a_week_before_compares_with_nothing(buyer: User, service: Service) -> None:
    sell(buyer, service, NOON - timedelta(hours=1), price=10, cost=4)

    assert shown(books_of_today(NOON))[0] == ("Sales", "$10.00", "$0.00", "", True)


def test_the_days_clock_is_the_shops(settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    timezone.get_default_timezone.cache_clear()
    try:
        # The clocks went back between these days: it is the same time on the clock, a week and an hour before.
        now = datetime(2026, 10, 28, 9, 30, tzinfo=UTC)
        span, before = part_of_day(now), part_of_day(now, weeks_ago=1)
    finally:
        settings.TIME_ZONE = "UTC"
        timezone.get_default_timezone.cache_clear()

    berlin = ZoneInfo("Europe/Berlin")
    assert (span.first, span.ends) == (date(2026, 10, 28), now)
    assert (before.first, before.ends) == (date(2026, 10, 21), datetime(2026, 10, 21, 10, 30, tzinfo=berlin))
    assert before.ends == datetime(2026, 10, 21, 8, 30, tzinfo=UTC)


def test_new_customers_are_those_of_today_and_no_staff(db: None) -> None:
    joined = [(0, {"hours": 1}), (0, {"hours": 2}), (0, {"hours": 13}), (7, {"hours": 1}), (7, {"hours": -1})]
    for number, (days, hours) in enumerate(joined):
        User.objects.create_user(f"new{number}@example.com", date_joined=days_before(days, **hours))
    User.objects.create_user("staff@example.com", is_staff=True, date_joined=NOON - timedelta(hours=1))

    assert shown(customers_of_today(NOON)) == [("New customers", "2", "1", "+100%", True)]


def number_of(user: User, project: Project, state: str, at: datetime) -> None:
    order = make_order(user, created_at=at, upstream_id=str(Order.objects.count() + 1), status=Status.COMPLETED)
    Number.objects.create(order=order, project=project, phone="+1555", state=state, created_at=at)


@pytest.fixture
def project(db: None) -> Project:
    country = Country.objects.create(code="us", name="United States")
    site = Site.objects.create(name="Telegram")
    return Project.objects.create(
        upstream_id="p1", country=country, site=site, name="Telegram", price_upstream_micros=500_000
    )


def test_numbers_of_today_with_their_success(buyer: User, project: Project) -> None:
    for state, count in (("received", 3), ("expired", 1), ("waiting", 2)):
        for _time in range(count):
            number_of(buyer, project, state, NOON - timedelta(hours=1))
    number_of(buyer, project, "received", days_before(7, hours=1))
    number_of(buyer, project, "expired", days_before(7, hours=1))

    assert shown(numbers_of_today(NOON)) == [
        ("Numbers", "6", "2", "+200%", True),
        ("Numbers with a code", "75%", "50%", "+25", True),
    ]
    assert [(best.title, best.sold, best.note) for best in best_numbers(NOON)] == [("Telegram", 8, "66%")]


# --- Thirty days ------------------------------------------------------------------------------------------------------
def test_thirty_days_are_drawn_and_written_with_nothing_left_out(buyer: User, service: Service) -> None:
    sell(buyer, service, NOON - timedelta(hours=1), price=10, cost=4)
    sell(buyer, service, days_before(29), price=30, cost=10)
    sell(buyer, service, days_before(30), price=500, cost=1)

    found = thirty_days(NOON)

    assert (found["sales"], found["margin"], found["first"]) == ("$40.00", "$26.00", "Sep 15, 2026")
    rows = found["table"]["rows"]
    assert len(rows) == len(found["chart"]["bars"]) == figures.DAYS
    assert rows[0] == ["Oct 14, 2026", "$10.00", "$0.00", "$6.00"]
    assert rows[1] == ["Oct 13, 2026", "$0.00", "$0.00", "$0.00"]
    assert rows[-1] == ["Sep 15, 2026", "$30.00", "$0.00", "$20.00"]
    assert [(bar.sales, bar.margin) for bar in found["chart"]["bars"] if bar.sales] == [(100, 66), (33, 20)]


def test_thirty_days_follow_today_while_the_days_before_are_kept(buyer: User, service: Service) -> None:
    thirty_days(NOON)
    sell(buyer, service, NOON - timedelta(hours=1), price=10, cost=4)
    sell(buyer, service, days_before(2), price=30, cost=10)

    assert thirty_days(NOON)["sales"] == "$10.00"
    cache.clear()
    assert thirty_days(NOON)["sales"] == "$40.00"


def test_what_was_sold_is_what_the_books_say(buyer: User, service: Service) -> None:
    sell(buyer, service, days_before(1), price=10, cost=4)
    sell(buyer, service, days_before(3), price=30.5, cost=10.25)
    book(buyer, Kind.REFUND, 3, days_before(1))
    book(buyer, Kind.BONUS, 7, days_before(1))
    span = Span(NOON.date() - timedelta(days=4), NOON.date())

    whole = report([span]).whole

    for name in ("sales", "discounts", "refunds", "cost", "claims", "margin"):
        assert sum(getattr(line, name) for line in sold_by_day(span).values()) == getattr(whole, name)


def test_best_services_are_the_most_bought(service: Service) -> None:
    others = [make_service(number) for number in range(2, 9)]
    for number, each in enumerate(others):
        Service.objects.filter(pk=each.pk).update(bought_lately=number)

    best = best_services()

    assert [each.sold for each in best] == [6, 5, 4, 3, 2]
    assert best[0].link == reverse("admin:catalog_service_change", args=[others[6].pk])


# --- Who sees which ---------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("right", "titles", "sections"),
    [
        ("view_books", ["Sales", "Margin", "Refunds"], {"days"}),
        ("view_user", ["New customers"], set()),
        ("view_number", ["Numbers", "Numbers with a code"], {"best_numbers"}),
        ("view_service", [], {"best_services"}),
        ("view_order", [], {"health", "is_well"}),
    ],
)
def test_figures_are_for_those_who_may_see_what_they_count(
    db: None, right: str, titles: list[str], sections: set[str]
) -> None:
    home = at_the_admin(with_rights("clerk@example.com", right)).get(HOME).context["home"]

    assert [figure.title for figure in home["today"]] == titles
    assert set(home) - {"queue", "reads_queue", "today"} == sections


# --- Health -----------------------------------------------------------------------------------------------------------
def health(client: Client) -> dict[str, tuple[str, str]]:
    """How each part is, once what was cached is old; a heartbeat stays one."""
    beaten = cache.get_many([HEARTBEAT_KEY, *(f"{HEARTBEAT_KEY}:{queue}" for queue in QUEUES)])
    cache.clear()
    cache.set_many(beaten)
    return {part.title: (part.health, part.text) for part in client.get(HOME).context["home"]["health"]}


@pytest.fixture
def desk(sam: User) -> Client:
    """Sam at the admin of a shop that does well."""
    note_heartbeat("")
    SyncRun.objects.create(kind="catalog", status="applied", finished_at=timezone.now())
    UpstreamBalance.objects.create(amount_upstream_micros=1_000 * DOLLAR)
    return at_the_admin(sam)


def test_a_shop_that_does_well_says_so(desk: Client) -> None:
    parts = health(desk)

    assert {state for state, _text in parts.values()} == {"ok"}
    assert parts["Oldest waiting order"] == ("ok", "No order is waiting.")
    assert parts["Beat and workers"] == ("ok", "Running. 0 tasks wait.")
    assert "$1,000.00, of which paid orders need $0.00." in parts["Upstream balance"][1]
    assert "Everything is working" in desk.get(HOME).content.decode()


def test_last_backup_is_told_with_its_size_and_place_and_is_wrong_once_it_is_old(desk: Client) -> None:
    assert "Last backup" not in health(desk)
    now = timezone.now()
    row = Backup.objects.create(started_at=now, finished_at=now, name="x", place="/backups", verified_at=now,
                                size_bytes=3_000_000)  # fmt: skip
    assert health(desk)["Last backup"][0] == "ok"
    assert "at /backups; read again and found whole." in health(desk)["Last backup"][1]

    Backup.objects.filter(pk=row.pk).update(started_at=now - timedelta(days=2))
    Backup.objects.create(started_at=now, finished_at=now, name="y", place="/backups", error="No room is left.")

    assert health(desk)["Last backup"][0] == "down"
    assert health(desk)["Last backup"][1].endswith("No room is left.")


def test_what_is_wrong_stands_on_top(desk: Client, ann: User, service: Service) -> None:
    now = timezone.now()
    pause = pause_forwarding(reason=ForwardingPause.Reason.KEY, now=now)
    cache.set(HEARTBEAT_KEY, time.time() - 300)
    SyncRun.objects.update(finished_at=now - timedelta(hours=2))
    UpstreamBalance.objects.create(amount_upstream_micros=100_000)
    make_order(ann, service=service, created_at=now - timedelta(minutes=12))
    make_order(ann, service=service, status=Status.PENDING, upstream_id="5",
               next_poll_at=now - timedelta(hours=3))  # fmt: skip

    parts = health(desk)
    markup = desk.get(HOME).content.decode()

    assert parts["Forwarding"] == ("down", "Paused: The upstream key is not accepted")
    assert parts["Oldest waiting order"] == ("slow", "Waiting for 12 minutes.")
    assert parts["Updates of orders"] == ("down", "3 hours behind.")
    assert parts["Catalog sync"] == ("slow", "2 hours ago.")
    assert parts["Beat and workers"] == ("down", "Last seen 5 minutes ago. 0 tasks wait.")
    assert parts["Upstream balance"][0] == "down"
    assert "Everything is working" not in markup
    assert markup.index("Paused: The upstream key") < markup.index("Needs you")
    end_pause(pause.pk, now=now)
    assert health(desk)["Forwarding"][0] == "slow"  # until an order is accepted again


def test_limit_of_calls_is_named_while_purchases_wait_for_it(desk: Client, settings: Any) -> None:
    settings.UPSTREAM_MAX_PER_SECOND = 7
    assert health(desk)["Forwarding"] == ("ok", "Paid orders are sent.")
    cache.clear()

    default_client().limiter.note_held_back()

    parts = {part.title: part for part in desk.get(HOME).context["home"]["health"]}
    assert parts["Forwarding"].health == "slow"
    assert "raise UPSTREAM_MAX_PER_SECOND (now 7)" in parts["Forwarding"].text


def test_without_a_heartbeat_nobody_works(desk: Client) -> None:
    cache.delete(HEARTBEAT_KEY)

    assert health(desk)["Beat and workers"] == ("down", "No sign of them: are both running?")


def test_a_queue_that_no_worker_serves_is_named(desk: Client) -> None:
    note_heartbeat("")
    cache.delete(f"{HEARTBEAT_KEY}:mail")

    assert health(desk)["Beat and workers"] == ("down", "No sign of a worker for mail. 0 tasks wait.")


def test_without_redis_the_page_is_there_and_says_so(desk: Client, settings: Any) -> None:
    settings.CACHES = {
        name: {**one, "LOCATION": f"redis://127.0.0.1:{free_port()}/0"} if "LOCATION" in one else one
        for name, one in settings.CACHES.items()
    }

    page = desk.get(HOME)

    parts = {part.title: part.text for part in page.context["home"]["health"]}
    assert page.status_code == 200
    assert parts["Beat and workers"] == "Redis can't be reached."


def test_the_balance_is_for_those_who_may_see_it(db: None) -> None:
    UpstreamBalance.objects.create(amount_upstream_micros=1_000 * DOLLAR)

    titles = {"Upstream balance"} & set(health(at_the_admin(with_rights("clerk@example.com", "view_order"))))

    assert titles == set()
