"""Favourites: kept and dropped with one press, found again on a page of their own."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Favourite, Service
from catalog.operations.favorites import favourites_among, keep_favourite
from tests.catalog.listing_rows import put_on_sale
from tests.conftest import PASSWORD
from tests.pages import HTMX, page_words

pytestmark = pytest.mark.django_db


def heart(page: Any, service: Service) -> str:
    """The heart of a service on a page: its element's first tag."""
    return re.search(rf'<(?:a|button) class="heart" id="heart-{service.pk}".*?>', page.content.decode())[0]


def keep_url(service: Service) -> str:
    return reverse("catalog:favourite", args=[service.pk])


def kept_by(user: User) -> list[str]:
    return list(Favourite.objects.filter(user=user).order_by("pk").values_list("service__name", flat=True))


def test_heart_when_pressed_keeps_the_service_and_leads_back(client: Client, ann: User) -> None:
    service = put_on_sale("A")
    client.force_login(ann)
    here = reverse("catalog:category", args=[service.category_id])

    answer = client.post(keep_url(service), {"keep": "1", "next": here})
    again = client.post(keep_url(service), {"keep": "1", "next": here})

    assert (answer.status_code, answer["Location"]) == (again.status_code, again["Location"]) == (302, here)
    assert kept_by(ann) == ["A"]
    assert 'aria-pressed="true"' in heart(client.get(here), service)


def test_heart_when_pressed_again_drops_the_service(client: Client, ann: User) -> None:
    service = put_on_sale("A")
    client.force_login(ann)
    keep_favourite(ann, service)

    client.post(keep_url(service), {"keep": "0"})
    client.post(keep_url(service), {"keep": "0"})

    assert kept_by(ann) == []


def test_heart_from_htmx_comes_back_as_it_is_now(client: Client, ann: User) -> None:
    service = put_on_sale("A")
    client.force_login(ann)

    kept = client.post(keep_url(service), {"keep": "1"}, headers=HTMX)
    dropped = client.post(keep_url(service), {"keep": "0"}, headers=HTMX)

    assert ('value="0"' in heart(kept, service), 'aria-pressed="true"' in heart(kept, service)) == (True, True)
    assert ('value="1"' in heart(dropped, service), 'aria-pressed="false"' in heart(dropped, service)) == (True, True)
    assert kept.content.decode().count("<button") == 1
    assert f'hx-post="{keep_url(service)}"' in heart(kept, service)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", ""])
def test_heart_never_leads_elsewhere(client: Client, ann: User, elsewhere: str) -> None:
    service = put_on_sale("A")
    client.force_login(ann)

    answer = client.post(keep_url(service), {"keep": "1", "next": elsewhere})

    assert answer["Location"] == reverse("orders:place", args=[service.pk])


def test_heart_without_a_token_is_refused(ann: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)

    assert client.post(keep_url(put_on_sale("A")), {"keep": "1"}).status_code == 403
    assert kept_by(ann) == []


def test_heart_of_a_page_posts_with_its_token(ann: User) -> None:
    """As a browser without script does: the button's form attribute names the one form of the page."""
    service = put_on_sale("A")
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)
    for address in (
        reverse("catalog:category", args=[service.category_id]),
        reverse("catalog:search", query={"q": "a"}),
        reverse("orders:place", args=[service.pk]),
    ):
        page = client.get(address)
        button = heart(page, service)
        form = re.search(r'<form id="hearts".*?</form>', page.content.decode(), re.DOTALL)[0]
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))

        assert 'form="hearts"' in button
        pressed = re.search(r'name="keep" value="(\d)"', button)[1]
        answer = client.post(re.search(r'formaction="([^"]*)"', button)[1], {**fields, "keep": pressed})

        assert (answer.status_code, answer["Location"]) == (302, address)
        assert kept_by(ann) == (["A"] if pressed == "1" else [])


def test_heart_of_a_visitor_leads_to_sign_in_and_back_to_it(client: Client, ann: User) -> None:
    service = put_on_sale("A")
    for address in (
        reverse("catalog:category", args=[service.category_id]),
        reverse("catalog:search", query={"q": "a", "sort": "name"}),
        reverse("orders:place", args=[service.pk]),
    ):
        client.logout()
        link = re.search(r'href="([^"]*)"', heart(client.get(address), service))[1]

        answer = client.post(link, {"login": ann.email, "password": PASSWORD})

        assert answer["Location"] == f"{address}#heart-{service.pk}"
        assert f'id="heart-{service.pk}"' in client.get(address).content.decode()


def test_visitor_who_posts_a_heart_is_asked_to_sign_in(client: Client) -> None:
    service = put_on_sale("A")

    plain = client.post(keep_url(service), {"keep": "1"})
    htmx = client.post(keep_url(service), {"keep": "1"}, headers=HTMX)

    assert plain["Location"] == f"{reverse('account_login')}?next={keep_url(service)}"
    assert htmx["HX-Refresh"] == "true"
    assert not Favourite.objects.exists()


def test_favourites_are_listed_with_the_filters_of_every_shelf(client: Client, ann: User, ben: User) -> None:
    kept = [put_on_sale("Followers", refill=True), put_on_sale("Likes", category="TikTok")]
    put_on_sale("Not kept")
    keep_favourite(ben, put_on_sale("Ben's"))
    keep_favourite(ann, put_on_sale("Gone", withdrawn_at=timezone.now()))
    for service in kept:
        keep_favourite(ann, service)
    client.force_login(ann)

    page = client.get(reverse("catalog:favourites"))
    narrowed = client.get(reverse("catalog:favourites", query={"refill": "1"}))

    names = r'service-row__name"[^>]*>(.*?)</a>'
    assert re.findall(names, page.content.decode()) == ["Followers", "Likes"]
    assert re.findall(names, narrowed.content.decode()) == ["Followers"]
    assert "2 services" in page_words(page)
    assert all('aria-pressed="true"' in heart(page, service) for service in kept)


def test_favourites_when_there_are_none_say_how_to_keep_one(client: Client, ann: User) -> None:
    put_on_sale("A")
    client.force_login(ann)

    assert "Press the heart beside a service" in page_words(client.get(reverse("catalog:favourites")))


def test_favourites_of_a_visitor_lead_to_sign_in_and_back(client: Client) -> None:
    address = reverse("catalog:favourites")

    assert client.get(address)["Location"] == f"{reverse('account_login')}?next={address}"


def test_heart_shows_at_once_on_a_page_whose_list_is_kept(client: Client, ann: User, ben: User) -> None:
    service = put_on_sale("A")
    here = reverse("catalog:category", args=[service.category_id])
    desk = Client()
    desk.force_login(ben)
    client.force_login(ann)
    assert 'aria-pressed="false"' in heart(client.get(here), service)

    keep_favourite(ann, service)

    assert 'aria-pressed="true"' in heart(client.get(here), service)
    assert 'aria-pressed="false"' in heart(desk.get(here), service)


def test_favourite_of_an_unknown_service_is_not_found(client: Client, ann: User) -> None:
    client.force_login(ann)

    assert client.post(reverse("catalog:favourite", args=[999_999]), {"keep": "1"}).status_code == 404
    assert client.get(keep_url(put_on_sale("B"))).status_code == 405


def test_favourites_among_none_asks_nobody(ann: User, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert favourites_among(ann, []) == set()
