"""The service worker and the page it keeps, as answered; what they do is in tests/browser/test_offline.py."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.storefront.web.test_staticfiles import collect

pytestmark = pytest.mark.django_db


def worker(client: Client, language: str = "en") -> dict[str, Any]:
    """Return what the worker is told to keep."""
    text = client.get(f"/sw-{language}.js").content.decode()
    told, _end, _source = text.removeprefix("const OFFLINE = ").partition(";\n")
    return json.loads(told)


def test_worker_when_asked_for_may_answer_for_the_whole_shop_and_load_from_it(client: Client, settings: Any) -> None:
    answer = client.get("/sw-en.js")

    assert (answer.status_code, answer["Content-Type"]) == (200, "text/javascript")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert "default-src 'self'" in answer["Content-Security-Policy"]  # what holds for the worker's own requests
    assert answer["Cache-Control"] == "private, max-age=3600"
    assert not answer.cookies
    settings.DEBUG = True
    assert client.get("/sw-en.js")["Cache-Control"] == "no-cache"


def test_worker_when_it_keeps_the_page_then_everything_the_page_asks_for(client: Client) -> None:
    kept = worker(client)

    names = [address.removeprefix("/static/") for address in kept["assets"]]
    assert {"css/site.css", "js/theme.js", "js/offline.js", "icons/sprite.svg"} <= set(names)
    assert "css/components/offline.css" in names  # which the stylesheet imports where it is not in one piece
    assert [name for name in names if finders.find(name) is None] == []


def test_worker_when_static_files_are_stored_for_production_then_it_keeps_those(
    client: Client, tmp_path: Path, settings: Any
) -> None:
    plain = worker(client)
    root = collect(tmp_path, settings)

    kept = worker(client)

    assert kept["version"] != plain["version"]
    assert [address for address in kept["assets"] if not (root / address.removeprefix("/static/")).is_file()] == []
    assert not any("components" in address for address in kept["assets"])


def test_worker_when_name_or_language_is_another_then_its_version_is(client: Client, settings: Any) -> None:
    first = worker(client)
    assert worker(client) == first

    settings.STORE_NAME = "Corner shop"

    named, russian = worker(client), worker(client, "ru")
    assert len({first["version"], named["version"], russian["version"]}) == 3
    assert (named["page"], russian["page"]) == ("/offline/en/", "/offline/ru/")
    assert "Corner shop" in client.get(named["page"]).content.decode()


def test_offline_page_when_its_reader_is_signed_in_is_the_same_as_for_anybody(client: Client, ann: User) -> None:
    for_anybody = client.get("/offline/ru/", headers={"accept-language": "en"})
    client.force_login(ann)

    page = client.get("/offline/ru/")
    told = client.get("/sw-ru.js")

    assert "Cookie" not in f"{page['Vary']}{told['Vary']}"
    assert told["Cache-Control"] == "private, max-age=3600"
    assert page.content == for_anybody.content
    assert '<html lang="ru">' in page.content.decode()
    assert page["Content-Language"] == "ru"
    assert not page.cookies


def test_worker_and_page_when_the_language_is_not_offered_are_not_there(client: Client) -> None:
    for language in ("de", "xx"):
        for name in ("service_worker", "offline"):
            assert client.get(reverse(name, kwargs={"language": language})).status_code == 404


def test_pages_when_shown_name_the_worker_of_their_language(client: Client) -> None:
    for language in ("en", "ru"):
        page = client.get("/", headers={"accept-language": language}).content.decode()
        assert f'data-worker-address="/sw-{language}.js"' in page
