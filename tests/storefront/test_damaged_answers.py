"""Every field of every answer, damaged one at a time: syncs apply the rest, every page opens, no queue stands still.

`make test` damages each field that is polled in a third of the ways, another third for the next field.

Each row of the lists is damaged in one field; what cannot be used is named in the run, and its neighbors are there.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Category, Service, SyncRun
from catalog.sync.sync_catalog import sync_catalog
from orders.accounting.audit import audit
from orders.fulfilment.forward import forward_order
from orders.fulfilment.poll import poll_due
from orders.models import ContractDrift, Kind, Order, Status
from orders.placing.place import place_order
from sms.models import Country, Number, Project
from sms.operations import buy_numbers
from sms.sync import sync_sms
from tests.clock import stopped_at
from tests.upstream.raw_server import RawServer, Received, answer, client_of

pytestmark = [pytest.mark.django_db(transaction=True)]

DAMAGES = [
    *(None, "", " ", "a/b", "x" * 10_000, "9" * 400, "\u0000\u001b\u0085", "\u200b\u2060\ufeff\u00ad", "a\u0301" * 30),
    *("<script>alert(1)</script>", "&lt;b&gt;&#0;", 5, 0, -1, 10**30, 1.5, True, [], {}, [None], {"a": []}),
]
SERVICE = {
    "service": 1,
    "name": "Likes",
    "type": "Default",
    "category": "Instagram",
    "rate": "1.00",
    "min": 10,
    "max": 1000,
    "refill": True,
    "cancel": False,
    "stock": 500,
    "description": "<p>Fast</p>",
    "entityType": "smm",
}
PROJECT = {"project_id": "p", "name": "Telegram", "price": "0.50", "country_id": "us", "country_title": "USA"}
COUNTRY = {"country_code": "us", "country_name": "USA"}
GOOD = 10


def damaged(row: dict[str, Any], key: str, first: int) -> list[dict[str, Any]]:
    """Return the row with each field damaged in each way, all with ids of their own, and some that are good."""
    cases = [(name, value) for name in row for value in DAMAGES]
    rows = [{**row, key: first + number, name: value} for number, (name, value) in enumerate(cases)]
    good = [{**row, key: first + len(cases) + number} for number in range(GOOD)]
    return [*good[:5], *rows, *good[5:]]


def supplier() -> dict[str, Any]:
    categories = [{"category": "Instagram", "subcategories": ["Likes", *DAMAGES]}, *damaged({"category": "C"}, "id", 1)]
    projects = damaged(PROJECT, "project_id", 1)
    return {
        "balance": {"balance": None, "currency": "USD"},
        "categories": {"categories": [*categories, None, 5, {"category": "TikTok", "subcategories": "a/b"}]},
        "services": damaged(SERVICE, "service", 1),
        "sms_countries": [COUNTRY, *damaged(COUNTRY, "id", 1), None, 5],
        "sms_projects": [*({**row, "project_id": str(row["project_id"])} for row in projects), None, 5, []],
    }


@pytest.fixture
def hostile(settings: Any) -> Iterator[RawServer]:
    settings.SYNC_MAX_SET_ASIDE_PERCENT = 100
    said = supplier()

    def behave(sock: Any, received: Received) -> None:
        form = received.form
        reply = said.get(form["action"], {"error": "Invalid action"})
        if form["action"] == "services" and "category" in form:
            reply = [row for row in reply if row["category"] == form["category"]]
        sock.sendall(answer(json.dumps(reply)))

    with RawServer(behave) as server:
        settings.UPSTREAM_URL, settings.UPSTREAM_KEY = server.url, "raw-server-key"
        yield server


def addresses(found: list[Any], before: str = "") -> Iterator[str]:
    """Yield every address of the shop that takes no arguments."""
    for entry in found:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from addresses(entry.url_patterns, route)
        elif isinstance(entry, URLPattern) and not set("<(^[?\\") & set(route):
            yield f"/{route}"


# What ends a session, starts a download of minutes, or waits for somebody.
PASSED_OVER = ("logout", "/api/v2", "jsi18n", "__debug__")


def open_every_page(browser: Browser) -> list[tuple[str, int]]:
    """Open every page there is, with those of some rows; return those that broke."""
    rows = [
        *(("orders:place", [pk]) for pk in Service.objects.order_by("pk").values_list("pk", flat=True)[:400:7]),
        *(("admin:catalog_syncrun_change", [pk]) for pk in SyncRun.objects.values_list("pk", flat=True)),
        *(("admin:orders_contractdrift_change", [pk]) for pk in ContractDrift.objects.values_list("pk", flat=True)),
        *(("catalog:category", [pk]) for pk in Category.objects.values_list("pk", flat=True)[:20]),
        *(("admin:catalog_category_change", [pk]) for pk in Category.objects.values_list("pk", flat=True)[:20]),
        *(("admin:sms_country_change", [pk]) for pk in Country.objects.values_list("pk", flat=True)[:20]),
    ]
    pages = [page for page in addresses(get_resolver().url_patterns) if not any(word in page for word in PASSED_OVER)]
    pages += [reverse(name, args=args) for name, args in rows]
    answers = [(page, browser.get(page).status_code) for page in pages]
    assert len(answers) > 100
    return [(page, status) for page, status in answers if status >= 500]


def test_syncs_of_damaged_answers_keep_the_neighbors_and_every_page_opens(
    hostile: RawServer, sam: User, client: Browser
) -> None:
    upstream = client_of(hostile)
    for minutes in (0, 15, 30):
        catalog = sync_catalog(client=upstream, now=timezone.now() + timedelta(minutes=minutes))
        numbers = sync_sms(client=upstream)

    assert catalog.status in (SyncRun.Status.APPLIED, SyncRun.Status.UNCHANGED), catalog.error
    assert numbers.status in (SyncRun.Status.APPLIED, SyncRun.Status.UNCHANGED), numbers.error
    assert Service.objects.filter(name="Likes", category__name="Instagram", rate_upstream_micros=10**6).count() > GOOD
    assert Project.objects.filter(name="Telegram", withdrawn_at=None).count() > GOOD
    for run in (catalog, numbers):
        assert len(run.set_aside) > 20
        assert [row for row in run.set_aside if not (row["service"] and row["problem"])] == []
    assert ContractDrift.objects.filter(subject="set_aside").count() > 5

    client.force_login(sam)
    client.raise_request_exception = False
    assert open_every_page(client) == []


STATUS = {
    "status": "In progress",
    "charge": "0.5",
    "start_count": 5,
    "remains": 5,
    "currency": "USD",
    "accounts": ["mail:pass"],
}
CODE = {"status": "waiting", "code": "", "sms_content": "", "message": "Waiting"}
NUMBER = {"status": "waiting", "phone": "+12025550123", "code": "", "charge": "0.5", "currency": "USD"}


@pytest.mark.parametrize("step", [3, pytest.param(1, marks=pytest.mark.long)])
@pytest.mark.parametrize(
    ("kind", "action", "said"),
    [
        ("service", "status", STATUS),
        ("number", "sms_code", CODE),
        ("number", "sms_status", {**NUMBER, "expires_at": ""}),
    ],
)
def test_polls_of_damaged_answers_record_the_others_and_break_nothing(
    sandbox: Any,
    client_upstream: Any,
    ann: User,
    service: Service,
    client: Browser,
    kind: str,
    action: str,
    said: dict,
    step: int,
) -> None:
    sync_sms(client=client_upstream)
    order = _order(kind, ann, service)
    assert forward_order(order.pk, client=client_upstream, clock=timezone.now)

    for number, field in enumerate(said):
        for value in DAMAGES[number % step :: step]:
            sandbox.fail_next("garbage", action=action, times=3, text=json.dumps({**said, field: value}))
            Order.objects.update(next_poll_at=timezone.now(), polled_at=None)
            poll_due(kind=kind, client=client_upstream, clock=stopped_at(timezone.now()))
            sandbox.clear_faults()
            order.refresh_from_db()
            assert (order.status in (Status.PENDING, Status.IN_PROGRESS), order.refunded_micros) == (True, 0), (
                field,
                value,
            )

    client.force_login(ann)
    assert client.get(reverse("orders:detail", args=[order.pk])).status_code == 200
    assert audit(client=None, now=timezone.now()).problems == []


@pytest.mark.parametrize("kind", ["service", "number"])
def test_purchases_with_damaged_answers_are_placed_or_looked_into(
    sandbox: Any, client_upstream: Any, ann: User, service: Service, kind: str
) -> None:
    sync_sms(client=client_upstream)
    row = {"order": 0, "phone": "+1", "country": "us", "status": "active"}
    for number, value in enumerate(DAMAGES, start=1):
        order = _order(kind, ann, service)
        field = list(row)[number % 4]
        said = {"order": value} if kind == "service" else {"orders": [{**row, "order": 70 + number, field: value}]}
        sandbox.fail_next("garbage", action="add" if kind == "service" else "add_sms", text=json.dumps(said))

        forward_order(order.pk, client=client_upstream, clock=timezone.now)

        order.refresh_from_db()
        assert order.status in (Status.PENDING, Status.UNKNOWN, Status.CANCELED, Status.FAILED), (value, order.status)
    assert Number.objects.filter(phone__contains="x").count() == 0


def _order(kind: str, ann: User, service: Service) -> Order:
    if kind == Kind.NUMBER:
        project = Project.objects.select_related("country", "site").order_by("price_upstream_micros")[0]
        [order] = buy_numbers(user=ann, project=project, request_id=str(timezone.now().timestamp()))
        return order
    shown = Service.objects.select_related("category").get(pk=service.pk)
    return place_order(
        user=ann,
        service=shown,
        quantity=100,
        link="https://instagram.com/ann",
        request_id=str(timezone.now().timestamp()),
        now=timezone.now(),
    )
