"""Names of websites, apps and countries in other languages."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import translation

from catalog.models import SyncRun
from sms.models import Country, Project, Site
from sms.queries.words import matching
from sms.sync import sync_sms
from sms.sync_translations import sync_translations
from sms.tasks import sync_translations as task
from upstream.client import Client
from upstream.errors import UpstreamError
from upstream.sandbox.process import Sandbox

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def ask(sandbox: Sandbox, client_upstream: Client, settings: Any) -> Callable[..., SyncRun]:
    """Ask for the Russian names of what a sync has brought."""
    settings.CATALOG_LANGUAGES = ("ru",)
    sandbox.set(profiles=["live"], reads_per_second=1000)
    sync_sms(client=client_upstream, now=NOW)

    def run(now: datetime = NOW) -> SyncRun:
        return sync_translations(client=client_upstream, now=now)

    return run


def test_sync_translations_names_websites_and_countries_beside_the_english_ones(ask: Any) -> None:
    english = list(Site.objects.values_list("name", "aliases")), list(Country.objects.values_list("code", "name"))

    run = ask()

    yandex, germany = Site.objects.get(name="Yandex"), Country.objects.get(code="de")
    assert (run.kind, run.status) == ("smsnames", "applied")
    assert english == (
        list(Site.objects.values_list("name", "aliases")),
        list(Country.objects.values_list("code", "name")),
    )
    assert (yandex.translated_names, germany.translated_names) == ({"ru": "Яндекс"}, {"ru": "Германия"})
    assert Country.objects.get(code="us").translated_names == {"ru": "Соединённые Штаты"}
    assert Site.objects.get(name="OpenAI / ChatGPT").translated_names == {}


def test_names_when_read_are_in_the_readers_language_and_found_in_both(ask: Any) -> None:
    ask()
    project = Project.objects.select_related("site", "country").filter(name="Yandex", country__code="de").first()

    assert project is not None
    assert (project.title, str(project)) == ("Yandex", "Yandex · Germany")
    with translation.override("ru"):
        assert (project.title, project.full_title, project.sold_title) == (
            "Яндекс",
            "Яндекс · Германия",
            "Yandex · Germany",
        )
        Country.objects.filter(code="de").update(translated_names={"ru": "ФРГ"})
        assert Country.objects.get(code="de").display_name == "ФРГ"
    for words in ("яндекс", "yandex"):
        assert matching(Site.objects.all(), words).get().name == "Yandex"


def test_sync_translations_when_nothing_differs_is_unchanged_and_survives_the_english_sync(
    ask: Any, client_upstream: Client
) -> None:
    ask()
    texts = list(Site.objects.order_by("pk").values_list("search_text"))

    again = ask(NOW + timedelta(days=1))
    sync_sms(client=client_upstream, now=NOW + timedelta(days=1))

    assert (again.status, again.changed) == ("unchanged", 0)
    assert list(Site.objects.order_by("pk").values_list("search_text")) == texts


def test_sync_translations_when_upstream_fails_keeps_the_languages_it_had(
    ask: Any, settings: Any, sandbox: Sandbox, client_upstream: Client
) -> None:
    settings.CATALOG_LANGUAGES = ("ru", "de")
    # One call passes; the second one for projects, for their German names, fails.
    sandbox.fail_next("slow", action="sms_projects", seconds=0)
    sandbox.fail_next("500_before", action="sms_projects", times=9)
    with pytest.raises(UpstreamError):
        ask()
    assert Site.objects.get(name="Yandex").translated_names == {"ru": "Яндекс"}
    sandbox.clear_faults()
    before = len(sandbox.requests)

    ask(NOW + timedelta(minutes=10))

    assert [call["params"]["lang"] for call in sandbox.requests[before:]] == ["de", "de"]
    assert Country.objects.get(code="de").translated_names == {"ru": "Германия", "de": "Deutschland"}


def test_sync_translations_task_without_the_setting_asks_nothing(sandbox: Sandbox, settings: Any) -> None:
    settings.CATALOG_LANGUAGES = ()

    task()

    assert not sandbox.requests
    assert not SyncRun.objects.exists()
