"""What a first visit costs: everything a page asks for, as it travels, is under 100 kB.

Computed from what production would send: the page compressed as it is answered, and the compressed files beside those
that are collected. So it needs no browser, and says which file has grown.
"""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.staticfiles.storage import staticfiles_storage
from django.test import Client

from catalog.models import Category, Service, Subcategory
from tests.storefront.web.test_staticfiles import collected

__all__ = ["collected"]  # the fixture
pytestmark = pytest.mark.django_db
LIMIT = 100_000  # bytes
GZIP = {"accept-encoding": "gzip, deflate, br"}
# Scripts, drawings, styles, icons and the manifest; a link like `canonical` names a page and is not loaded.
_ASKED_FOR = re.compile(r'<(?:script|img|use|link rel="(?:stylesheet|icon|manifest)")\b[^>]*?\s(?:href|src)="(/[^"#]+)')
_WORKER = re.compile(r'data-worker-address="([^"]+)"')
# What files ask for: drawings and fonts of styles, parts of scripts.
_NAMED_IN_FILES = re.compile(r"""(?:url\(|from |import )["']?([^"')\s]+\.(?:woff2?|svg|png|css|js))\b""")
TITLES = "Instagram {} | 100% Organic | Old Accounts {} | Worldwide | Start 0-1 Hour | {}K/Day | 365 Days Refill"


@pytest.fixture
def pages(service: Service) -> dict[str, str]:
    """The addresses of the three pages, of a shop with as much on them as they show at once."""
    for number in range(40):
        category = Category.objects.create(name=f"Platform {number}", rate_confirmed_at=service.first_seen_at)
        part = Subcategory.objects.create(category=category, name="Likes")
        _copy(service, number, category=category, subcategory=part)
    for number in range(40, 200):
        _copy(service, number)
    return {"home": "/", "category": f"/catalog/{service.category_id}/", "service": f"/order/{service.pk}/"}


def _copy(service: Service, number: int, **changed: Any) -> None:
    title = TITLES.format(("Followers", "Likes", "Views", "Comments")[number % 4], 2000 + number, 7 * number)
    fields = {
        each.attname: getattr(service, each.attname) for each in Service._meta.concrete_fields if not each.primary_key
    }
    del fields["category_id"], fields["subcategory_id"]
    around = {"category": service.category, "subcategory": service.subcategory, **changed}
    Service.objects.create(**{**fields, **around, "upstream_id": 910_000 + number, "name": title})


def weights(client: Client, path: str, folder: Path) -> dict[str, int]:
    """Return what a browser that knows nothing of the shop loads with this page, in bytes by address."""
    answer = client.get(path, headers=GZIP)
    text = client.get(path).content.decode()
    assert answer["Content-Encoding"] == "gzip"
    found = {path: len(answer.content)}
    waiting = _ASKED_FOR.findall(text)
    [worker] = _WORKER.findall(text)
    told = client.get(worker).content.decode()
    found[worker] = len(told)
    offline = json.loads(told.removeprefix("const OFFLINE = ").partition(";\n")[0])
    waiting += [offline["page"], *offline["assets"]]
    while waiting:
        address = waiting.pop()
        if address in found:
            continue
        if not address.startswith("/static/"):
            found[address] = len(client.get(address, headers=GZIP).content)
            continue
        file = folder / address.removeprefix("/static/")
        packed = file.with_name(f"{file.name}.gz")
        found[address] = (packed if packed.exists() else file).stat().st_size
        if file.suffix in (".css", ".js"):
            for name in _NAMED_IN_FILES.findall(file.read_text()):
                if not name.startswith(("data:", "http")):
                    waiting.append("/static/" + str((file.parent / name).resolve().relative_to(folder.resolve())))
    return found


def test_first_visit_when_everything_is_loaded_weighs_under_100_kb(
    client: Client, collected: Path, pages: dict[str, str]
) -> None:
    for name, path in pages.items():
        loaded = weights(client, path, collected)

        heaviest = sorted(loaded.items(), key=lambda one: -one[1])[:8]
        assert sum(loaded.values()) < LIMIT, (name, heaviest)
        assert f"/static/{staticfiles_storage.stored_name('css/site.css')}" in loaded
        assert len(loaded) > 12
        assert loaded[path] > 2_000  # the page has come, with what is on it
