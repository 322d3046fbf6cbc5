"""Pages travel compressed, the same page once or anew for each reader; those with a secret do not."""

import gzip
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.urls import reverse

from accounts.models import User
from catalog.models import Service
from storefront.web.compression import WITH_SECRETS, CompressionMiddleware
from tests.security.addresses import routes

pytestmark = pytest.mark.django_db
GZIP = {"accept-encoding": "gzip, deflate, br"}


def test_cached_page_when_the_browser_takes_gzip_is_the_same_page(client: Client, service: Service) -> None:
    path = f"/catalog/{service.category_id}/"
    plain, packed = client.get(path), client.get(path, headers=GZIP)

    assert "Content-Encoding" not in plain
    assert packed["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.content) == plain.content
    assert plain["Vary"] == packed["Vary"]
    assert "Accept-Encoding" in packed["Vary"]
    # Compressed once: nothing random in it, and a fifth of the size.
    assert client.get(path, headers=GZIP).content == packed.content
    assert len(packed.content) < len(plain.content) / 3
    again = client.get(path, headers={**GZIP, "if-none-match": packed["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_cached_page_when_it_comes_out_of_the_cache_is_the_same_page(client: Client, service: Service) -> None:
    from catalog.caching.versioned_cache import forget_process_cache

    first = client.get("/", headers=GZIP).content

    forget_process_cache()  # as another process would find it

    assert client.get("/", headers=GZIP).content == first
    assert client.get("/").content == gzip.decompress(first)


def test_personal_page_when_compressed_is_padded_by_chance(client: Client, ann: User) -> None:
    client.force_login(ann)

    sizes = {len(client.get("/wallet/", headers=GZIP).content) for _time in range(6)}

    answer = client.get("/wallet/", headers=GZIP)
    assert answer["Content-Encoding"] == "gzip"
    assert ann.email in gzip.decompress(answer.content).decode()
    assert len(sizes) > 1


@pytest.mark.parametrize(
    "path", ["/account/api/", "/account/api/webhooks/", "/sms/numbers/", "/accounts/2fa/recovery-codes/", "/admin/"]
)
def test_page_that_shows_a_secret_is_sent_as_it_is(client: Client, sam: User, path: str) -> None:
    client.force_login(sam)

    answer = client.get(path, headers=GZIP, follow=True)

    assert answer.status_code in (200, 404)
    assert "Content-Encoding" not in answer


@pytest.mark.parametrize(
    "name", ["api:webhook_delivery", "sms:cancel", "sms:replace", "sms:replacement_rule", "orders:goods"]
)
def test_page_that_may_show_a_code_is_sent_as_it_is_whatever_leads_to_it(rf: RequestFactory, name: str) -> None:
    page = HttpResponse("<p>A code: 1234</p>" * 100)

    answer = CompressionMiddleware(lambda _request: page).process_response(
        rf.get(reverse(name, args=[1]), headers=GZIP), page
    )

    assert "Content-Encoding" not in answer


def test_pages_with_secrets_exist() -> None:
    names = {route.name for route in routes()}

    assert {*WITH_SECRETS} - names == set()


def test_api_answer_is_left_to_the_proxy(client: Client, settings: Any) -> None:
    answer = client.get("/api/v2/openapi.json", headers=GZIP)

    assert answer.status_code == 200
    assert "Content-Encoding" not in answer
