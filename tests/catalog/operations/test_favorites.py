"""Favorites: added and removed with one press, found again on a page of their own."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from catalog.models import Favorite, Service
from catalog.operations.favorites import add_favorite, favorites_among
from tests.catalog.listing_rows import put_on_sale
from tests.conftest import PASSWORD
from tests.pages import HTMX, markup, page_words

pytestmark = pytest.mark.django_db


def favorite_button(page: Any, service: Service) -> str:
    """The favorite_button of a service on a page: its element's first tag."""
    return re.search(rf'<(?:a|button) class="favorite-button" id="favorite-{service.pk}".*?>', markup(page))[0]


def favorite_url(service: Service) -> str:
    return reverse("catalog:favorite", args=[service.pk])


def favorites_of_user(user: User) -> list[str]:
    return list(Favorite.objects.filter(user=user).order_by("pk").values_list("service__name", flat=True))


def test_favorite_button_when_pressed_adds_the_service_and_leads_back(client: Client, ann: User) -> None:
    service = put_on_sale("A")
    client.force_login(ann)
    here = reverse("catalog:category", args=[service.category_id])

    answer = client.post(favorite_url(service), {"favorite": "1", "next": here})
    again = client.post(favorite_url(service), {"favorite": "1", "next": here})

    assert (answer.status_code, answer["Location"]) == (again.status_code, again["Location"]) == (302, here)
    assert favorites_of_user(ann) == ["A"]
    assert 'aria-pressed="true"' in favorite_button(client.get(here), service)


def test_favorite_button_when_pressed_again_removes_the_service(client: Client, ann: User) -> None:
    service = put_on_sale("A")
    client.force_login(ann)
    add_favorite(ann, service)

    client.post(favorite_url(service), {"favorite": "0"})
    client.post(favorite_url(service), {"favorite": "0"})

    assert favorites_of_user(ann) == []


def test_favorite_button_from_htmx_comes_back_as_it_is_now(client: Client, ann: User) -> None:
    service = put_on_sale("A")
    client.force_login(ann)

    chosen = client.post(favorite_url(service), {"favorite": "1"}, headers=HTMX)
    dropped = client.post(favorite_url(service), {"favorite": "0"}, headers=HTMX)

    assert (
        'value="0"' in favorite_button(chosen, service),
        'aria-pressed="true"' in favorite_button(chosen, service),
    ) == (
        True,
        True,
    )
    assert (
        'value="1"' in favorite_button(dropped, service),
        'aria-pressed="false"' in favorite_button(dropped, service),
    ) == (True, True)
    assert chosen.content.decode().count("<button") == 1
    assert f'hx-post="{favorite_url(service)}"' in favorite_button(chosen, service)


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", ""])
def test_favorite_button_never_leads_elsewhere(client: Client, ann: User, elsewhere: str) -> None:
    service = put_on_sale("A")
    client.force_login(ann)

    answer = client.post(favorite_url(service), {"favorite": "1", "next": elsewhere})

    assert answer["Location"] == reverse("orders:place", args=[service.pk])


def test_favorite_button_without_a_token_is_refused(ann: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ann)

    assert client.post(favorite_url(put_on_sale("A")), {"favorite": "1"}).status_code == 403
    assert favorites_of_user(ann) == []


def test_favorite_button_of_a_page_posts_with_its_token(ann: User) -> None:
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
        button = favorite_button(page, service)
        form = re.search(r'<form id="favorites".*?</form>', page.content.decode(), re.DOTALL)[0]
        fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))

        assert 'form="favorites"' in button
        pressed = re.search(r'name="favorite" value="(\d)"', button)[1]
        answer = client.post(re.search(r'formaction="([^"]*)"', button)[1], {**fields, "favorite": pressed})

        assert (answer.status_code, answer["Location"]) == (302, address)
        assert favorites_of_user(ann) == (["A"] if pressed == "1" else [])


def test_favorite_button_of_a_visitor_leads_to_sign_in_and_back_to_it(client: Client, ann: User) -> None:
    service = put_on_sale("A")
    for address in (
        reverse("catalog:category", args=[service.category_id]),
        reverse("catalog:search", query={"q": "a", "sort": "name"}),
        reverse("orders:place", args=[service.pk]),
    ):
        client.logout()
        link = re.search(r'href="([^"]*)"', favorite_button(client.get(address), service))[1]

        answer = client.post(link, {"login": ann.email, "password": PASSWORD})

        assert answer["Location"] == f"{address}#favorite-{service.pk}"
        assert f'id="favorite-{service.pk}"' in client.get(address).content.decode()


def test_visitor_who_posts_a_favorite_is_asked_to_sign_in(client: Client) -> None:
    service = put_on_sale("A")

    plain = client.post(favorite_url(service), {"favorite": "1"})
    htmx = client.post(favorite_url(service), {"favorite": "1"}, headers=HTMX)

    assert plain["Location"] == f"{reverse('account_login')}?next={favorite_url(service)}"
    assert htmx["HX-Refresh"] == "true"
    assert not Favorite.objects.exists()


def test_favorites_are_listed_with_the_filters_of_every_listing(client: Client, ann: User, ben: User) -> None:
    chosen = [put_on_sale("Followers", refill=True), put_on_sale("Likes", category="TikTok")]
    put_on_sale("Not a favorite")
    add_favorite(ben, put_on_sale("Ben's"))
    add_favorite(ann, put_on_sale("Gone", withdrawn_at=timezone.now()))
    for service in chosen:
        add_favorite(ann, service)
    client.force_login(ann)

    page = client.get(reverse("catalog:favorites"))
    narrowed = client.get(reverse("catalog:favorites", query={"refill": "1"}))

    names = r'service-row__name"[^>]*>(.*?)</a>'
    assert re.findall(names, page.content.decode()) == ["Followers", "Likes"]
    assert re.findall(names, narrowed.content.decode()) == ["Followers"]
    assert "2 services" in page_words(page)
    assert all('aria-pressed="true"' in favorite_button(page, service) for service in chosen)


def test_favorites_when_there_are_none_say_how_to_add_one(client: Client, ann: User) -> None:
    put_on_sale("A")
    client.force_login(ann)

    assert "Tap the heart next to a service" in page_words(client.get(reverse("catalog:favorites")))


def test_favorites_of_a_visitor_lead_to_sign_in_and_back(client: Client) -> None:
    address = reverse("catalog:favorites")

    assert client.get(address)["Location"] == f"{reverse('account_login')}?next={address}"


def test_favorite_button_shows_at_once_on_a_page_whose_list_is_cached(client: Client, ann: User, ben: User) -> None:
    service = put_on_sale("A")
    here = reverse("catalog:category", args=[service.category_id])
    desk = Client()
    desk.force_login(ben)
    client.force_login(ann)
    assert 'aria-pressed="false"' in favorite_button(client.get(here), service)

    add_favorite(ann, service)

    assert 'aria-pressed="true"' in favorite_button(client.get(here), service)
    assert 'aria-pressed="false"' in favorite_button(desk.get(here), service)


def test_favorite_of_an_unknown_service_is_not_found(client: Client, ann: User) -> None:
    client.force_login(ann)

    assert client.post(reverse("catalog:favorite", args=[999_999]), {"favorite": "1"}).status_code == 404
    assert client.get(favorite_url(put_on_sale("B"))).status_code == 405


def test_favorites_among_none_asks_nobody(ann: User, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(0):
        assert favorites_among(ann, []) == set()
