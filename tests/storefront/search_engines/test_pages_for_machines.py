"""What search engines and previews of links are told: which pages, by which address, and about what."""

import json
import re
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from catalog.models import Service
from storefront.search_engines import sitemaps
from storefront.search_engines.structured_data import as_script

pytestmark = pytest.mark.django_db
SPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture(autouse=True)
def _address(settings: Any) -> None:
    settings.SITE_URL = "https://shop.example"


def addresses(client: Client, path: str) -> list[str]:
    answer = client.get(path)
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/xml; charset=utf-8")
    document = ElementTree.fromstring(answer.content)  # noqa: S314 - we have just made it
    return [str(place.text) for place in document.iter(f"{SPACE}loc")]


def data_of(page: str) -> list[dict[str, Any]]:
    return [json.loads(text) for text in re.findall(r'<script type="application/ld\+json">(.*?)</script>', page)]


def test_robots_when_asked_names_the_sitemap_and_closes_what_is_personal(client: Client) -> None:
    answer = client.get("/robots.txt")

    lines = answer.content.decode().splitlines()
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert lines[0] == "User-agent: *"
    assert lines[-1] == "Sitemap: https://shop.example/sitemap.xml"
    closed = [line.removeprefix("Disallow: ") for line in lines if line.startswith("Disallow")]
    for name in ("account", "orders:list", "wallet:home", "sms:waiting", "catalog:search", "admin:index", "api:v2"):
        assert reverse(name).startswith(tuple(closed)), name
    for name in ("home", "catalog:index", "orders:quick", "sms:home", "api:docs"):
        assert not reverse(name).startswith(tuple(closed)), name


def test_sitemap_when_there_are_many_services_is_split_and_lists_what_visitors_may_open(
    client: Client, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sitemaps.Services, "limit", 2)
    fields = {"category": service.category, "type": "Default", "rate_upstream_micros": 1, "min_quantity": 1}
    shown = [
        Service.objects.create(upstream_id=number, name=f"Service {number}", max_quantity=9, **fields)
        for number in (1, 2, 3)
    ]
    Service.objects.create(upstream_id=4, name="Hidden", visible=False, max_quantity=9, **fields)

    files = addresses(client, "/sitemap.xml")

    parts = [file for file in files if "services" in file]
    assert parts == [f"https://shop.example/sitemap-services-{number}.xml" for number in (1, 2)]
    found = [place for file in files for place in addresses(client, file.removeprefix("https://shop.example"))]
    assert [place for place in found if "/order/" in place] == [
        f"https://shop.example/order/{each.pk}/" for each in (service, *shown)
    ]
    assert f"https://shop.example/catalog/{service.category_id}/" in found
    assert "https://shop.example/" in found
    assert len(set(found)) == len(found)
    for place in found:
        page = client.get(place.removeprefix("https://shop.example"))
        assert page.status_code == 200, place
        assert f'<link rel="canonical" href="{place}">' in page.content.decode(), place


@pytest.mark.parametrize("path", ["/sitemap-services-9.xml", "/sitemap-services-0.xml", "/sitemap-orders-1.xml"])
def test_sitemap_when_there_is_no_such_file_says_so(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_sitemap_when_a_service_is_hidden_forgets_it(client: Client, service: Service) -> None:
    before = addresses(client, "/sitemap-services-1.xml")

    service.visible = False
    service.save(update_fields=["visible"])

    assert before == [f"https://shop.example/order/{service.pk}/"]
    assert addresses(client, "/sitemap-services-1.xml") == []


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("", ""),
        ("?sort=price&refill=1", ""),
        ("?utm_source=x", ""),
    ],
)
def test_category_when_sorted_or_filtered_stands_under_one_address(
    client: Client, service: Service, query: str, canonical: str
) -> None:
    path = f"/catalog/{service.category_id}/"

    page = client.get(path + query).content.decode()

    assert re.findall(r'<link rel="canonical" href="([^"]*)">', page) == [f"https://shop.example{path}{canonical}"]


@pytest.mark.parametrize("path", ["/", "/quick/", "/sms/", "/catalog/"])
def test_page_everybody_may_find_describes_itself_to_customers_browsers_too(
    client: Client, service: Service, ann: User, path: str
) -> None:
    for reader in (None, ann):
        if reader is not None:
            client.force_login(reader)
        page = client.get(path).content.decode()

        assert f'<link rel="canonical" href="https://shop.example{path}">' in page
        assert '<meta name="description" content="' in page
        assert "noindex" not in page


@pytest.mark.parametrize("path", ["/catalog/search/?q=instagram", "/accounts/login/", "/sms/?q=x", "/quick/?q=x"])
def test_page_that_is_nothing_for_search_engines_says_so(client: Client, service: Service, path: str) -> None:
    page = client.get(path).content.decode()

    assert '<meta name="robots" content="noindex">' in page
    assert "canonical" not in page


def test_service_page_when_read_by_a_machine_is_a_product_with_its_offer(client: Client, service: Service) -> None:
    page = client.get(f"/order/{service.pk}/").content.decode()

    product, trail = data_of(page)
    offer = product["offers"]
    assert (product["@type"], product["name"], product["sku"]) == ("Product", service.title, str(service.pk))
    # 1.50 and the usual markup, as the page says.
    assert (offer["price"], offer["priceCurrency"]) == ("1.875", "USD")
    assert offer["priceSpecification"]["referenceQuantity"]["value"] == 1000
    assert offer["availability"] == "https://schema.org/InStock"
    assert [step["name"] for step in trail["itemListElement"]] == ["All services", "Instagram", service.title]
    assert '<meta name="description" content="$1.875 per 1,000, order 10 to 10,000.' in page


def test_service_page_when_the_price_is_not_certain_offers_none(client: Client, service: Service) -> None:
    service.category.rate_confirmed_at = None
    service.category.save(update_fields=["rate_confirmed_at"])

    product, _trail = data_of(client.get(f"/order/{service.pk}/").content.decode())

    assert "offers" not in product


def test_service_page_when_signed_in_shows_ones_own_price_to_oneself_alone(
    client: Client, service: Service, ann: User
) -> None:
    visitor = client.get(f"/order/{service.pk}/").content
    client.force_login(ann)

    page = client.get(f"/order/{service.pk}/").content.decode()

    assert data_of(page)[0]["offers"]["price"] == "1.875"
    assert ann.email not in json.dumps(data_of(page))
    assert ann.email.encode() not in visitor


HOSTILE = "</script><script>alert(1)</script><!--\"'&\u2028<b>"


def test_structured_data_when_a_name_is_hostile_stays_data(client: Client, service: Service) -> None:
    service.name = service.upstream_description = HOSTILE
    service.save(update_fields=["name", "upstream_description"])

    page = client.get(f"/order/{service.pk}/").content.decode()

    assert data_of(page)[0]["name"] == HOSTILE
    assert "<script>alert" not in page
    assert "</script><script>" not in as_script({"name": HOSTILE}).removesuffix("</script>")


def test_home_when_read_by_a_machine_is_a_site_with_a_search(client: Client) -> None:
    (site,) = data_of(client.get("/").content.decode())

    assert site["@type"] == "WebSite"
    assert site["potentialAction"]["target"]["urlTemplate"] == "https://shop.example/catalog/search/?q={words}"


@pytest.mark.parametrize(("language", "title"), [("en", "SMS numbers"), ("ru", "SMS-номера")])
def test_titles_are_in_the_readers_language(client: Client, language: str, title: str) -> None:
    page = client.get("/sms/", headers={"accept-language": language}).content.decode()

    shown = re.search(r"<title>([^<]*)</title>", page)
    assert shown is not None
    assert title in " ".join(shown[1].split())


def test_manifest_when_installed_has_a_name_and_icons_that_exist(client: Client, settings: Any) -> None:
    settings.STORE_NAME = "The corner shop"

    answer = client.get("/manifest.webmanifest")

    manifest = answer.json()
    assert answer["Content-Type"] == "application/manifest+json"
    assert (manifest["name"], manifest["short_name"], manifest["display"]) == (
        "The corner shop",
        "The corner s",
        "standalone",
    )
    assert {(icon["sizes"], icon["purpose"]) for icon in manifest["icons"]} == {
        *(("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")),
    }
    for icon in manifest["icons"]:
        assert client.get(icon["src"]).status_code == 200, icon["src"]


def test_favicon_when_asked_for_by_its_usual_address_is_found(client: Client) -> None:
    answer = client.get("/favicon.ico", follow=True)

    assert answer.status_code == 200
    assert b"".join(answer.streaming_content)[:4] == b"\0\0\1\0"
