"""The admin pages of the syncs: what a run changed or would change, and the decision about it."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Category, Service, ServiceChange, Subcategory, SyncRun
from catalog.sync.runs import open_run
from catalog.sync.sync_catalog import sync_catalog
from sms.models import Country, Site
from tests.catalog.syncs import LATER, NOW, QUARTER, stored
from tests.pages import page_words
from upstream.client import Client as Upstream
from upstream.sandbox.process import Sandbox

pytestmark = pytest.mark.django_db
SUBMITTED = {"_form_submitted": "True"}


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


@pytest.fixture
def held_back(synced: list[tuple], sandbox: Sandbox, client_upstream: Upstream) -> SyncRun:
    """A run that waits: 20 of 60 services are missing, one is dearer, one renamed, one new, one row cannot be used."""
    for service_id in range(1, 21):
        sandbox.remove_service(service_id)
    sandbox.set_service(40, rate="60.00")
    Service.objects.filter(upstream_id=40).update(rate_upstream_micros=40_000_000)
    sandbox.set_service(41, name="<b>Renamed</b>")
    sandbox.set_service(42, rate="0")
    sandbox.add_service(service=9001, category="Brand new", subcategory="Brand new too", name="Newcomer", rate="3.00")
    return sync_catalog(client=client_upstream, now=LATER)


def clerk(*permissions: str) -> Client:
    """Somebody of the staff with these permissions only."""
    user = User.objects.create_user("clerk@example.com", "x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def page(run: SyncRun) -> str:
    return reverse("admin:catalog_syncrun_change", args=[run.pk])


def shown(desk: Client, run: SyncRun, **query: Any) -> tuple[dict[str, int], list[list[str]]]:
    """Return the sizes of all tables on the run's page and the rows of the one that is shown."""
    difference = desk.get(page(run), query).context["difference"]
    counts = {table.word: table.count for table in difference["tables"]}
    rows = difference["table"]["rows"] if "table" in difference else []
    return counts, [[str(cell) for cell in row] for row in rows]


def buttons(desk: Client, run: SyncRun) -> list[str]:
    return [button["path"].rsplit("/", 2)[-2] for button in desk.get(page(run)).context["actions_detail"]]


def press(desk: Client, button: str, run: SyncRun) -> list[str]:
    answer = desk.post(reverse(f"admin:catalog_syncrun_{button}", args=[run.pk]), SUBMITTED, follow=True)
    run.refresh_from_db()
    return [str(message) for message in answer.context["messages"]]


def test_run_page_when_it_was_held_back_shows_what_would_change(desk: Client, held_back: SyncRun) -> None:
    counts, repriced = shown(desk, held_back)

    assert counts == {"repriced": 1, "vanished": 20, "new": 1, "back": 0, "changed": 1, "set_aside": 1}
    name = Service.objects.get(upstream_id=40).name
    assert repriced == [["40", name, "$40.00", "$60.00", "+50.0%"]]
    assert [row[0] for row in shown(desk, held_back, show="vanished")[1]] == [str(pk) for pk in range(1, 21)]
    assert shown(desk, held_back, show="new")[1] == [["9001", "Newcomer", "$3.00"]]
    assert shown(desk, held_back, show="set_aside")[1] == [["42", "rate", "is 0"]]
    html = desk.get(page(held_back), {"show": "changed"}).content.decode()
    assert "→ &lt;b&gt;Renamed&lt;/b&gt;" in html
    assert held_back.error in html


@pytest.mark.parametrize("query", [{"show": "nonsense"}, {"show": "vanished", "page": "x"}, {"page": "99999999999"}])
def test_run_page_when_the_address_is_nonsense_shows_the_nearest_page(
    desk: Client, held_back: SyncRun, query: dict[str, str]
) -> None:
    assert shown(desk, held_back, **query)[1]


def test_run_page_when_there_are_more_changes_than_examples_says_so(
    desk: Client, held_back: SyncRun, settings: Any
) -> None:
    held_back.difference["counts"]["vanished"] = 7000
    held_back.save(update_fields=["difference"])

    html = desk.get(page(held_back), {"show": "vanished"}).content.decode()

    assert "The 20 most notable changes of 7000:" in html


def test_run_page_when_it_was_applied_shows_its_history_page_by_page(
    desk: Client, synced: list[tuple], sandbox: Sandbox, client_upstream: Upstream
) -> None:
    first = SyncRun.objects.get()
    assert shown(desk, first)[0]["new"] == 60
    assert len(shown(desk, first, show="new")[1]) == 50
    last = shown(desk, first, show="new", page=2)[1]
    assert [row[0] for row in last] == [str(pk) for pk in range(51, 61)]
    html = desk.get(page(first), {"show": "new"}).content.decode()
    assert 'href="?show=new&amp;page=2#difference"' in html

    sandbox.set_service(1, rate="0.40", min=7)
    sandbox.remove_service(2)
    sync_catalog(client=client_upstream, now=LATER)
    run = sync_catalog(client=client_upstream, now=LATER + QUARTER)
    service = Service.objects.get(upstream_id=1)
    link = f'<a class="hover:underline" href="{reverse("admin:catalog_service_change", args=[service.pk])}">'

    before = SyncRun.objects.get(started_at=LATER)
    assert shown(desk, before)[0] == {
        "new": 0, "repriced": 1, "vanished": 0, "back": 0, "changed": 1, "set_aside": 0
    }  # fmt: skip
    expected = ["1", f"{link}Instagram Followers</a>", "$0.50", "$0.40", "-20.0%"]
    assert shown(desk, before, show="repriced")[1] == [expected]
    assert shown(desk, before, show="changed")[1][0][2] == "<div>minimum: 100 → 7</div>"
    assert shown(desk, run)[1][0][0] == "2"
    assert buttons(desk, run) == []


def test_run_page_with_more_rows_asks_the_database_as_often(
    desk: Client, synced: list[tuple], sandbox: Sandbox, client_upstream: Upstream
) -> None:
    def queries(minutes: int, services: int) -> int:
        for service_id in range(1, services + 1):
            sandbox.set_service(service_id, rate=f"{minutes}.10")
            Service.objects.filter(upstream_id=service_id).update(rate_upstream_micros=minutes * 1_000_000)
        run = sync_catalog(client=client_upstream, now=NOW + QUARTER * minutes)
        assert run.repriced == services
        with CaptureQueriesContext(connection) as statements:
            desk.get(page(run), {"show": "repriced"})
        return len(statements)

    queries(1, 1)  # what is cached between two requests
    assert queries(2, 1) == queries(3, 10)


def test_run_page_when_it_failed_shows_no_tables_but_the_reason(desk: Client) -> None:
    run = SyncRun.objects.create(kind="catalog", status="failed", error="Upstream is down")

    assert shown(desk, run) == ({"set_aside": 0}, [])
    assert "Upstream is down" in desk.get(page(run)).content.decode()


def test_accept_when_staff_has_looked_applies_the_answer(desk: Client, held_back: SyncRun, sam: User) -> None:
    assert buttons(desk, held_back) == ["accept", "drop"]

    assert press(desk, "accept", held_back) == ["The answer has been applied."]

    assert (held_back.status, held_back.decided_by, held_back.added) == ("applied", sam, 1)
    assert Service.objects.filter(upstream_id=9001).exists()
    assert shown(desk, held_back, show="new")[1][0][2] == "$3.00"
    assert buttons(desk, held_back) == []


def test_drop_when_staff_has_looked_changes_nothing(desk: Client, held_back: SyncRun, sam: User) -> None:
    before = stored()

    assert press(desk, "drop", held_back) == ["The answer has been dropped; the catalog stays as it is."]

    assert (held_back.status, held_back.decided_by) == ("dropped", sam)
    assert stored() == before
    assert shown(desk, held_back)[0]["vanished"] == 20


@pytest.mark.parametrize("button", ["accept", "drop"])
def test_decision_when_a_colleague_was_quicker_is_refused_in_words(
    desk: Client, held_back: SyncRun, button: str
) -> None:
    press(desk, "drop", held_back)

    said = press(desk, button, held_back)

    assert said == ["This answer is no longer waiting for a decision. Nothing was changed."]


def test_accept_while_a_sync_runs_is_refused_in_words(desk: Client, held_back: SyncRun) -> None:
    open_run(SyncRun.Kind.CATALOG, now=timezone.now())

    assert press(desk, "accept", held_back) == ["A sync is running: wait until it has ended."]
    assert held_back.status == "quarantined"


@pytest.mark.parametrize("button", ["accept", "drop"])
def test_decision_when_only_opened_or_without_permission_changes_nothing(
    desk: Client, held_back: SyncRun, button: str
) -> None:
    address = reverse(f"admin:catalog_syncrun_{button}", args=[held_back.pk])
    viewer = clerk("view_syncrun")
    before = stored()

    asked = desk.get(address)
    assert asked.status_code == 200
    assert "<form" in asked.content.decode()
    assert viewer.get(page(held_back)).status_code == 200
    assert buttons(viewer, held_back) == []
    assert viewer.get(address).status_code == 403
    assert viewer.post(address, SUBMITTED).status_code == 403
    assert Client().post(address, SUBMITTED).status_code == 302
    assert desk.post(page(held_back), {"status": "applied"}).status_code == 403
    held_back.refresh_from_db()
    assert (held_back.status, held_back.decided_by) == ("quarantined", None)
    assert stored() == before


def test_decision_with_the_permission_alone_is_enough(held_back: SyncRun) -> None:
    assert press(clerk("view_syncrun", "change_syncrun"), "drop", held_back)

    assert held_back.status == "dropped"


def test_first_page_when_a_sync_waits_names_it(desk: Client, held_back: SyncRun) -> None:
    html = desk.get(reverse("admin:index")).content.decode()

    assert f'href="{page(held_back)}"' in html
    assert held_back.error in html


def test_service_page_links_to_what_syncs_changed(
    desk: Client, synced: list[tuple], sandbox: Sandbox, client_upstream: Upstream
) -> None:
    sandbox.set_service(1, rate="0.40")
    sandbox.set_service(2, name="Renamed")
    sync_catalog(client=client_upstream, now=LATER)
    service = Service.objects.get(upstream_id=1)
    history = f"{reverse('admin:catalog_servicechange_changelist')}?service__id__exact={service.pk}"

    assert f'href="{history}"' in desk.get(reverse("admin:catalog_service_change", args=[service.pk])).content.decode()
    answer = desk.get(history)
    assert list(answer.context["cl"].queryset) == [ServiceChange.objects.get(service=service)]
    assert "$0.50 → $0.40" in answer.content.decode()


def test_page_of_a_run_that_asked_for_translations_says_what_is_missing_and_left(desk: Client) -> None:
    run = open_run(SyncRun.Kind.TRANSLATIONS, now=NOW).row
    place = {"missing": {"ru": {"services": 3, "categories": 1}}, "left": ["de"], "notes": {"page": 4}}
    SyncRun.objects.filter(pk=run.pk).update(translations=place)

    page = page_words(desk.get(reverse("admin:catalog_syncrun_change", args=[run.pk])))

    assert "ru: 3 services, 1 category" in page
    assert "de, from page 4 on" in page


@pytest.mark.parametrize("model", [Service, Category, Subcategory, Site, Country])
def test_page_of_a_row_shows_its_translations_and_edits_none(desk: Client, service: Service, model: Any) -> None:
    if model in (Site, Country):
        model.objects.create(name="A")
    model.objects.update(translated_names={"ru": "<Имя>", "de": "Name"})
    row = model.objects.get()

    page = desk.get(reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[row.pk]))

    assert "de: Name" in page_words(page)
    assert "ru: <Имя>" in page_words(page)
    assert 'name="translated_names"' not in page.content.decode()
