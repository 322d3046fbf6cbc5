"""Names in other languages: a sync of its own, a page at a time, beside the one that sells."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from catalog.caching.version import catalog_version
from catalog.models import Category, Service, Subcategory, SyncRun
from catalog.sync import sync_translations as module
from catalog.sync import translation_rounds
from catalog.sync.runs import SyncTakenOver
from catalog.sync.sync_catalog import sync_catalog
from catalog.sync.sync_translations import sync_translations
from catalog.sync.translation_rounds import is_due
from catalog.tasks import sync_translations as task
from upstream.client import Client
from upstream.errors import UpstreamError
from upstream.sandbox.process import Sandbox

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FOLLOWERS = 1
KIND = SyncRun.Kind.TRANSLATIONS


@pytest.fixture
def live(sandbox: Sandbox, settings: Any) -> Sandbox:
    """A supplier with names in other languages, of whom the shop wants the Russian ones."""
    settings.CATALOG_LANGUAGES = ("ru",)
    sandbox.set(profiles=["live"], reads_per_second=1000)
    return sandbox


@pytest.fixture
def catalog(live: Sandbox, client_upstream: Client) -> None:
    """The English catalog, as a sync has brought it."""
    sync_catalog(client=client_upstream, now=NOW - DAY)


@pytest.fixture
def ask(catalog: None, client_upstream: Client) -> Callable[..., SyncRun]:
    """Ask for translations at a time."""

    def run(now: datetime = NOW, **options: Any) -> SyncRun:
        return sync_translations(client=client_upstream, now=now, **options)

    return run


def english() -> list[tuple[Any, ...]]:
    """What of the catalog is none of this sync's business."""
    kept = [field.attname for field in Service._meta.concrete_fields]
    return list(
        Service.objects.order_by("id").values_list(*(set(kept) - {"translated_names", "short_titles", "search_text"}))
    ) + list(Category.objects.order_by("id").values_list("name", "display_name"))


def calls(sandbox: Sandbox) -> list[tuple[str, str | None, str | None]]:
    return [
        (call["action"], call["params"].get("lang"), call["params"].get("page"))
        for call in sandbox.requests
        if call["action"] in ("services", "categories")
    ]


def test_sync_translations_when_upstream_has_names_writes_them_beside_the_english_ones(ask: Any) -> None:
    before = english()

    run = ask()

    service = Service.objects.select_related("category", "subcategory").get(upstream_id=FOLLOWERS)
    assert (run.kind, run.status, run.error) == (KIND, "applied", "")
    assert run.total == 60
    assert english() == before
    assert service.name == "Instagram Followers"
    assert service.translated_names == {"ru": "Подписчики Instagram"}
    assert service.subcategory is not None
    assert service.subcategory.translated_names == {"ru": "Подписчики"}
    assert Category.objects.get(name="Email Accounts").translated_names == {"ru": "Почтовые аккаунты"}
    assert Category.objects.get(name="Instagram").translated_names == {}  # it came back in English


def test_title_when_read_is_in_the_readers_language_unless_the_shop_has_its_own(ask: Any, settings: Any) -> None:
    ask()
    service = Service.objects.get(upstream_id=FOLLOWERS)

    assert service.title == "Instagram Followers"
    with translation.override("ru"):
        assert service.title == "Подписчики Instagram"
        assert Subcategory(name="A", translated_names={"ru": "Б"}).title == "Б"
        assert Category(name="A", translated_names={"ru": "Б"}, display_name="C").title == "C"
        assert service.sold_title == "Instagram Followers"
        settings.CATALOG_LANGUAGES = ()
        assert service.title == "Instagram Followers"


def test_sync_translations_when_done_is_found_by_both_names(ask: Any) -> None:
    ask()

    for words in ("instagram followers", "подписчики", "почтовые gmail", "email gmail"):
        assert Service.objects.matching(words).exists(), words
    assert Service.objects.matching("Подписчики Instagram").get(upstream_id=FOLLOWERS)


def test_sync_translations_when_nothing_differs_writes_nothing(ask: Any, client_upstream: Client) -> None:
    ask()
    version = catalog_version()

    again = ask(NOW + DAY)

    assert (again.status, again.changed) == ("unchanged", 0)
    assert catalog_version() == version
    assert sync_catalog(client=client_upstream, now=NOW + DAY, in_full=True).status == "unchanged"


def test_sync_translations_when_a_name_is_english_again_forgets_the_translation(ask: Any, live: Sandbox) -> None:
    ask()
    live.set(profiles=["live"])
    Service.objects.filter(upstream_id=3).update(translated_names={"ru": "Что-то", "de": "Etwas"})
    live.set_service(3, name="Zzz qqq")
    Service.objects.filter(upstream_id=3).update(name="ZZZ  qqq")

    ask(NOW + DAY)

    assert Service.objects.get(upstream_id=3).translated_names == {"de": "Etwas"}


def test_sync_catalog_when_a_name_changes_drops_what_it_was_translated_to(
    ask: Any, live: Sandbox, client_upstream: Client
) -> None:
    ask()
    live.set_service(FOLLOWERS, name="Instagram Followers | Real | no refill")
    live.set_service(2, rate="77.7")
    kept = Service.objects.get(upstream_id=2).translated_names

    sync_catalog(client=client_upstream, now=NOW + DAY)

    renamed, repriced = (Service.objects.get(upstream_id=pk) for pk in (FOLLOWERS, 2))
    assert renamed.translated_names == {}
    assert "подписчики instagram" not in renamed.search_text
    assert kept
    assert repriced.translated_names == kept
    assert kept["ru"].lower() in repriced.search_text


def test_sync_translations_when_interrupted_goes_on_where_it_was(
    ask: Any, live: Sandbox, client_upstream: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_ROWS", 20)

    def break_down(_language: str, done: int, _pages: int) -> None:
        if done == 2:
            live.fail_next("500_before", action="services", times=9)

    with pytest.raises(UpstreamError):
        ask(progress=break_down)
    written = Service.objects.exclude(translated_names={}).count()

    failed = SyncRun.objects.filter(kind=KIND).latest("id")
    assert (failed.status, failed.total) == ("failed", 40)
    assert 0 < written <= 40
    assert is_due(KIND, now=NOW)
    live.clear_faults()
    before = len(calls(live))
    ask(NOW + timedelta(minutes=10))

    assert calls(live)[before:] == [("services", "ru", "3"), ("categories", None, None), ("categories", "ru", None)]
    assert Category.objects.get(name="Email Accounts").translated_names == {"ru": "Почтовые аккаунты"}
    assert not is_due(KIND, now=NOW + timedelta(hours=1))
    assert is_due(KIND, now=NOW + DAY)


def test_sync_translations_task_without_the_setting_asks_nothing(sandbox: Sandbox, settings: Any) -> None:
    settings.CATALOG_LANGUAGES = ()

    task()

    assert not sandbox.requests
    assert not SyncRun.objects.exists()


def test_sync_translations_command_says_what_it_did(catalog: None) -> None:
    out = io.StringIO()

    call_command("sync_translations", stdout=out)

    lines = out.getvalue().splitlines()
    assert lines[0] == "ru: 1 of 1."
    assert lines[1].startswith("Names of services in other languages: 60 rows read, ")
    assert lines[2].startswith("Names of SMS numbers in other languages: ")


def test_sync_translations_command_without_the_setting_says_so(sandbox: Sandbox, settings: Any) -> None:
    settings.CATALOG_LANGUAGES = ()

    with pytest.raises(CommandError, match="CATALOG_LANGUAGES is empty"):
        call_command("sync_translations")

    assert not sandbox.requests


def test_sync_translations_when_upstream_refuses_a_language_names_it_and_goes_on(
    ask: Any, settings: Any, live: Sandbox
) -> None:
    settings.CATALOG_LANGUAGES = ("de", "ru")
    live.fail_next("refuse", action="services", text="Invalid lang", status=200)

    run = ask()

    assert (run.status, run.error) == ("applied", "de: Invalid lang")
    assert Service.objects.get(upstream_id=FOLLOWERS).translated_names == {"ru": "Подписчики Instagram"}
    assert not is_due(KIND, now=NOW + timedelta(hours=1))


def test_sync_translations_when_a_run_was_given_up_writes_nothing_more(
    ask: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_ROWS", 20)

    def give_up(_language: str, done: int, _pages: int) -> None:
        if done == 2:
            SyncRun.objects.filter(kind=KIND).update(status="failed")

    with pytest.raises(SyncTakenOver):
        ask(progress=give_up)

    assert not Service.objects.filter(upstream_id__gt=40).exclude(translated_names={}).exists()


def test_sync_translations_when_its_time_is_over_leaves_the_rest_to_the_next_run(
    ask: Any, live: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_ROWS", 20)
    monkeypatch.setattr(translation_rounds, "RUN_SECONDS", 0.000001)
    runs = []
    while is_due(KIND, now=NOW):
        runs.append(ask())

    assert [run.translations["left"] for run in runs] == [["ru"], ["ru"], ["ru"], []]
    assert [run.total for run in runs] == [20, 20, 20, 0]


def test_sync_translations_when_a_language_is_new_begins_a_round(ask: Any, settings: Any) -> None:
    ask()
    settings.CATALOG_LANGUAGES = ("ru", "de")

    assert is_due(KIND, now=NOW + timedelta(minutes=1))


def test_sync_translations_counts_what_has_no_translation(ask: Any) -> None:
    run = ask()

    on_sale = Service.objects.on_sale()
    without = on_sale.exclude(translated_names__has_key="ru").count()
    assert run.translations["missing"]["ru"]["services"] == without
    assert run.translations["missing"]["ru"]["categories"] == (
        Category.objects.filter(services__in=on_sale).exclude(translated_names__has_key="ru").distinct().count()
    )


def test_sync_translations_of_a_server_that_knows_no_languages_brings_nothing(ask: Any, live: Sandbox) -> None:
    live.set(profiles=[])

    run = ask()

    assert (run.status, run.changed) == ("unchanged", 0)
