"""The status page as everybody reads it, incidents as staff writes them, the bar they make, and their feed."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import Any
from xml.etree import ElementTree

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import TrailEntry, User
from orders.models import Status
from support.models import Incident, MeasuredPart, Part, PartDay
from support.status.incidents import open_incident, write_update
from tests.catalog.listing_rows import put_on_sale
from tests.pages import page_words, words
from tests.storefront.admin_rows import make_order
from tests.support.told import told_anew

pytestmark = pytest.mark.django_db
PAGE = "/status/"
HOSTILE = "</title><script>alert(1)</script>\"'&{{ 1 }}{% now %}"
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def commits(django_capture_on_commit_callbacks: Any) -> Any:
    """What a test does within is told to every process at its end, as a commit does."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


@pytest.fixture
def desk(sam: User) -> Client:
    """Sam at the admin."""
    client = Client()
    client.force_login(sam)
    return client


def measure(part: str = Part.ORDERS, *, health: str = "ok", ago: float = 1, **figure: Any) -> None:
    moment = timezone.now() - timedelta(minutes=ago)
    MeasuredPart.objects.update_or_create(
        part=part, defaults={"health": health, "figure": figure, "measured_at": moment}
    )


def incident(now: datetime | None = None, **changed: Any) -> Incident:
    usual: dict[str, Any] = {
        "titles": {"en": "Orders go out late", "ru": "Заказы задерживаются"},
        "severity": "major",
        "parts": ["orders"],
        "texts": {"en": "We look into it.", "ru": "Разбираемся."},
        "stage": "looking",
        "started_at": timezone.now() - timedelta(minutes=30),
        "actor": None,
        "now": now or timezone.now(),
    }
    found = open_incident(**{**usual, **changed})
    told_anew()
    return found


def test_page_says_what_was_measured_in_words(client: Client) -> None:
    measure(within=70)
    measure(Part.CATALOG, age=240)

    said = page_words(client.get(PAGE))

    assert "Everything is working" in said
    assert "Sending orders Working" in said
    assert "Orders go out within 2 minutes." in said
    assert "Prices and stock were updated 4 minutes ago." in said
    assert "supplier" not in said.lower()


def test_page_when_nobody_measured_lately_says_that_it_does_not_know(client: Client) -> None:
    measure(ago=30, within=70)

    said = page_words(client.get(PAGE))

    assert "We can't say right now how things are" in said
    assert "Sending orders Not known" in said
    assert "Orders go out within" not in said


def test_page_of_a_new_shop_says_that_nothing_was_measured(client: Client) -> None:
    said = page_words(client.get(PAGE))

    assert "Nothing has been measured yet." in said
    assert "Everything is working" not in said


def test_page_when_the_cache_is_away_shows_the_same(client: Client, settings: Any) -> None:
    measure(within=70)
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}}
    told_anew()

    assert "Orders go out within 2 minutes." in page_words(client.get(PAGE))


def test_page_draws_ninety_days_and_says_them_in_a_table(client: Client) -> None:
    now = timezone.now()
    measure()
    today = now.astimezone(UTC).date()
    passed = int((now - datetime.combine(today, time(), UTC)).total_seconds())
    PartDay.objects.create(part=Part.ORDERS, day=today, ok_seconds=max(0, passed - 60))
    for ago, slow, down in ((1, 0, 0), (2, 1_200, 0), (3, 0, 600), (89, 0, 0), (90, 0, 86_400)):
        ok = 86_400 - slow - down
        days = {"ok_seconds": ok, "slow_seconds": slow, "down_seconds": down}
        PartDay.objects.create(part=Part.ORDERS, day=today - timedelta(days=ago), **days)

    page = client.get(PAGE).content.decode()

    assert page.count("<rect ") == 90
    assert [page.count(f'data-health="{health}">\n') for health in ("slow", "down")] == [1, 1]
    table = words(page[page.index("<tbody>") : page.index("</tbody>")])
    assert "Slow for 20 minutes" in table
    assert "Not working for 10 minutes" in table
    assert table.count("Not known") == 85  # all but today, and the four that are known
    assert re.search(r"99\.8[2-6]% of the measured time", words(page))  # 600 s of four days and today; no 91st day


def test_page_costs_few_queries_and_for_some_seconds_fewer(client: Client) -> None:
    for part in Part:
        measure(part)
        for ago in range(1, 90):
            PartDay.objects.create(part=part, day=timezone.now().date() - timedelta(days=ago), ok_seconds=86_400)
    for _number in range(5):
        found = incident(started_at=timezone.now() - timedelta(days=3))
        write_update(found.pk, stage="resolved", texts={"en": "Done."}, actor=None, now=timezone.now())
    told_anew()

    with CaptureQueriesContext(connection) as first:
        client.get(PAGE)
    with CaptureQueriesContext(connection) as second:
        client.get(PAGE)

    assert len(first) <= 8
    assert len(second) <= 4


def test_incident_is_told_on_the_page_until_it_is_resolved_and_is_history_then(client: Client) -> None:
    measure(within=70)
    found = incident(started_at=timezone.now() - timedelta(minutes=30))

    said = page_words(client.get(PAGE))
    assert "Something isn't working" in said
    assert said.index("What is going on") < said.index("Orders go out late") < said.index("The last 90 days")
    assert "Sending orders Not working" in said  # whatever was measured

    write_update(found.pk, stage="resolved", texts={"en": "All sent."}, actor=None, now=timezone.now())
    told_anew()
    said = page_words(client.get(PAGE))
    assert "Everything is working" in said
    assert "What is going on" not in said
    assert said.index("Past incidents") < said.index("All sent.") < said.index("We look into it.")


def test_incident_is_read_in_ones_own_language_and_else_in_the_shops(client: Client) -> None:
    incident(texts={"en": "We look into it."})

    said = page_words(client.get(PAGE, headers={"Accept-Language": "ru"}))

    assert "Заказы задерживаются" in said
    assert "We look into it." in said


def test_planned_work_is_told_ahead_and_over_by_itself(client: Client) -> None:
    begins = timezone.now() + timedelta(days=3)
    found = incident(severity="planned", stage="planned", started_at=begins, planned_until=begins + timedelta(hours=1))
    assert "Planned work" in page_words(client.get(PAGE))
    assert "Orders go out late" not in page_words(client.get("/"))

    past = timezone.now() - timedelta(hours=2)
    Incident.objects.filter(pk=found.pk).update(started_at=past, planned_until=past + timedelta(hours=1))
    told_anew()
    said = page_words(client.get(PAGE))
    assert said.index("Past incidents") < said.index("Orders go out late")
    assert "Orders go out late" not in page_words(client.get("/"))


def test_bar_of_an_incident_stands_on_home_and_order_pages_for_everybody(ann: User) -> None:
    service = put_on_sale("Followers")
    order = make_order(ann, service=service, status=Status.IN_PROGRESS)
    shared = ["/", reverse("orders:place", args=[service.pk]), reverse("orders:quick"), reverse("sms:home")]
    own = [reverse("orders:list"), reverse("orders:detail", args=[order.pk])]
    visitor, customer = Client(), Client()
    customer.force_login(ann)
    for address in shared:
        assert "Orders go out late" not in page_words(visitor.get(address))  # now they are in the cache

    found = incident()

    for who, addresses in ((visitor, shared), (customer, shared + own)):
        for address in addresses:
            assert page_words(who.get(address)).count("Orders go out late") == 1, address
    assert "Orders go out late" not in page_words(visitor.get(reverse("catalog:index")))

    write_update(found.pk, stage="resolved", texts={"en": "Done."}, actor=None, now=timezone.now())
    told_anew()
    assert "Orders go out late" not in page_words(visitor.get("/"))


def test_page_and_feed_when_texts_are_hostile_show_them_as_text(client: Client) -> None:
    measure()
    incident(titles={"en": HOSTILE}, texts={"en": f"{HOSTILE}\n\nhttps://evil.example"})

    for address in (PAGE, "/"):
        page = client.get(address).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
        assert 'href="https://evil' not in page
    feed = ElementTree.fromstring(client.get("/status/en.atom").content)  # noqa: S314 - our own
    assert feed.find(f"{ATOM}entry/{ATOM}title").text == f"We're looking into it: {HOSTILE}"  # type: ignore[union-attr]
    # The summary is HTML, so what is text in it is escaped once more.
    summary = feed.findtext(f"{ATOM}entry/{ATOM}summary") or ""
    assert "<script>" not in summary
    assert summary.count("<p>") == 2


def test_feed_has_every_update_in_the_language_of_its_address(client: Client, settings: Any) -> None:
    found = incident()
    write_update(found.pk, stage="found", texts={"en": "A queue.", "ru": "Очередь."}, actor=None, now=timezone.now())

    answer = client.get("/status/ru.atom", headers={"Accept-Language": "en"})
    feed = ElementTree.fromstring(answer.content)  # noqa: S314 - our own

    assert answer["Content-Type"].startswith("application/atom+xml")
    assert not answer.cookies
    summaries = [entry.findtext(f"{ATOM}summary") for entry in feed.iter(f"{ATOM}entry")]
    assert summaries == ["<p>Очередь.</p>", "<p>Разбираемся.</p>"]
    assert feed.findtext(f"{ATOM}id") == f"{settings.SITE_URL}/status/ru.atom"
    link = feed.find(f"{ATOM}entry/{ATOM}link")
    assert link is not None
    assert link.get("href") == f"{settings.SITE_URL}/status/#incident-{found.pk}"
    assert client.get("/status/xx.atom").status_code == 404


def test_page_is_in_the_footer_and_in_the_sitemap(client: Client, settings: Any) -> None:
    assert 'href="/status/"' in client.get("/").content.decode()
    assert f"<loc>{settings.SITE_URL}/status/</loc>" in client.get("/sitemap-pages-1.xml").content.decode()


# --- At the admin -----------------------------------------------------------------------------------------------------
def typed(**changed: Any) -> dict[str, Any]:
    return {
        "titles_en": "Payments fail",
        "titles_ru": "Оплата не проходит",
        "severity": "minor",
        "parts": ["payments"],
        "started_at_0": "2026-03-01",
        "started_at_1": "12:00",
        "planned_until_0": "",
        "planned_until_1": "",
        "updates-TOTAL_FORMS": "1",
        "updates-INITIAL_FORMS": "0",
        "updates-0-stage": "looking",
        "updates-0-texts_en": "We look into it.",
        "updates-0-texts_ru": "Разбираемся.",
        **changed,
    }


def test_staff_writes_an_incident_continues_it_and_resolves_it(desk: Client, commits: Any, client: Client) -> None:
    with commits():
        answer = desk.post(reverse("admin:support_incident_add"), typed())
    assert answer.status_code == 302
    found = Incident.objects.get()
    assert (found.titles["ru"], found.parts, found.created_by.email) == (  # type: ignore[union-attr]  # who wrote it
        "Оплата не проходит",
        ["payments"],
        "sam@example.com",
    )
    assert "Payments fail" in page_words(client.get("/"))

    change = reverse("admin:support_incident_change", args=[found.pk])
    assert "We look into it." in page_words(desk.get(change))
    resolved = {"updates-0-stage": "resolved", "updates-0-texts_en": "It works again.", "updates-0-texts_ru": ""}
    with commits():
        desk.post(change, typed(**resolved))
    found.refresh_from_db()
    assert found.resolved_at is not None
    assert [update.texts for update in found.updates.all()] == [
        {"en": "It works again."},
        {"en": "We look into it.", "ru": "Разбираемся."},
    ]
    assert "Payments fail" not in page_words(client.get("/"))

    again = page_words(desk.post(change, typed(**resolved), follow=True))
    assert "This incident has been resolved already." in again
    assert found.updates.count() == 2
    assert TrailEntry.objects.filter(target_type="support.Incident").count() >= 2


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"titles_en": ""}, "This field is required."),
        ({"titles_en": "x" * 121}, "at most 120 characters"),
        ({"parts": []}, "This field is required."),
        ({"parts": ["moon"]}, "not one of the available choices"),
        ({"updates-0-texts_en": ""}, "This field is required."),
        ({"severity": "planned"}, "Say until when the work is planned."),
        ({"planned_until_0": "2026-03-02", "planned_until_1": "12:00"}, "Only planned work has a planned end."),
        (
            {"severity": "planned", "planned_until_0": "2026-03-01", "planned_until_1": "11:00"},
            "It must end after it starts.",
        ),
    ],
)
def test_incident_when_something_is_wrong_is_refused_in_words(desk: Client, wrong: dict[str, Any], said: str) -> None:
    answer = desk.post(reverse("admin:support_incident_add"), typed(**wrong))

    assert answer.status_code == 200
    assert said in page_words(answer)
    assert not Incident.objects.exists()


def test_incident_about_a_part_without_a_row_is_in_the_headline_all_the_same(client: Client) -> None:
    measure()  # of nothing but orders: no payments are set up yet
    incident(parts=["payments"])

    said = page_words(client.get(PAGE))

    assert "Everything is working" not in said
    assert "Something isn't working" in said


def test_incident_that_lasts_is_told_however_much_work_was_planned_since(client: Client) -> None:
    measure()
    now = timezone.now()
    incident(started_at=now - timedelta(days=30))
    for number in range(25):
        over = now - timedelta(days=1, minutes=number)
        incident(severity="planned", started_at=over - timedelta(hours=1), planned_until=over, titles={"en": "Work"})

    assert "Orders go out late" in page_words(client.get("/"))
    said = page_words(client.get(PAGE))
    assert said.index("What is going on") < said.index("Orders go out late") < said.index("The last 90 days")
