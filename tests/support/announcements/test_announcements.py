"""Announcements: for whom, as HTTP shows it; put away for good; nothing of one reader in a page of another."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.keys.api_keys import create_api_key, revoke_api_key
from accounts.models import CustomerGroup, User
from support.models import Announcement, AnnouncementDismissal
from tests.catalog.listing_rows import put_on_sale
from tests.conftest import customer
from tests.pages import page_words
from tests.support.told import told_anew

pytestmark = pytest.mark.django_db
TITLE = "The shop moves on Sunday"


def announce(**changed: Any) -> Announcement:
    begun = timezone.now() - timedelta(hours=1)
    usual = {"titles": {"en": TITLE, "ru": "Переезд в воскресенье"}, "starts_at": begun}
    found = Announcement.objects.create(**{**usual, **changed})
    told_anew()
    return found


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def sees(client: Client, address: str = "/") -> bool:
    """Whether the page at this address has the bar."""
    return TITLE in page_words(client.get(address))


def away(client: Client, announcement: Announcement, **headers: str) -> Any:
    return client.post(reverse("support:dismiss_announcement", args=[announcement.pk]), headers=headers)


@pytest.fixture
def readers(ann: User) -> dict[str, Client]:
    """One of each kind: a visitor, Ann, one with a key, one of a group of resellers, one of another group."""
    robot = customer("robot@example.com")
    create_api_key(user=robot, name="panel")
    panels = CustomerGroup.objects.create(name="Panels", is_reseller=True)
    friends = CustomerGroup.objects.create(name="Friends")
    return {
        "visitor": Client(),
        "ann": signed_in(ann),
        "robot": signed_in(robot),
        "panel": signed_in(customer("panel@example.com", group=panels)),
        "friend": signed_in(customer("friend@example.com", group=friends)),
    }


@pytest.mark.parametrize(
    ("audience", "those"),
    [
        ("all", {"visitor", "ann", "robot", "panel", "friend"}),
        ("customers", {"ann", "robot", "panel", "friend"}),
        ("resellers", {"robot", "panel"}),
        ("group", {"friend"}),
    ],
)
def test_announcement_is_shown_to_those_it_is_for_on_every_kind_of_page(
    readers: dict[str, Client], audience: str, those: set[str]
) -> None:
    service = put_on_sale("Followers")
    category = reverse("catalog:category", args=[service.category_id])
    kinds = ["/", category, reverse("orders:place", args=[service.pk]), reverse("catalog:index")]
    for client in readers.values():  # whatever is cached, is by now
        assert not any(sees(client, address) for address in kinds)
    group = CustomerGroup.objects.get(name="Friends") if audience == "group" else None

    announce(audience=audience, group=group)

    for address in [*kinds, reverse("support:announcements")]:
        assert {name for name, client in readers.items() if sees(client, address)} == those, address


def test_announcement_for_resellers_when_the_key_is_revoked_is_theirs_no_more(ann: User) -> None:
    key, _text = create_api_key(user=ann, name="panel")
    announce(audience="resellers")
    client = signed_in(ann)
    assert sees(client)

    revoke_api_key(key.pk)

    assert not sees(client)


def test_announcement_lasts_from_its_beginning_until_its_end_and_stays_on_the_page(client: Client) -> None:
    now = timezone.now()
    announcement = announce(starts_at=now + timedelta(days=1), ends_at=now + timedelta(days=2))
    assert not sees(client)
    assert not sees(client, "/announcements/")

    Announcement.objects.filter(pk=announcement.pk).update(starts_at=now - timedelta(days=1))
    told_anew()
    assert sees(client)

    Announcement.objects.filter(pk=announcement.pk).update(ends_at=now - timedelta(hours=1))
    told_anew()
    assert not sees(client)
    assert sees(client, "/announcements/")


def test_announcement_is_read_in_ones_own_language(client: Client) -> None:
    announce()

    assert "Переезд в воскресенье" in page_words(client.get("/", headers={"Accept-Language": "ru"}))
    assert sees(client)


def test_what_is_important_comes_first_and_one_bar_is_enough(client: Client) -> None:
    announce(titles={"en": "Older and important"}, level="warning", starts_at=timezone.now() - timedelta(days=1))
    announce()

    page = client.get("/").content.decode()

    assert "Older and important" in page
    assert page.count('class="bars__bar"') == 1


def test_bar_when_put_away_by_a_customer_is_gone_on_every_device_of_theirs(ann: User, ben: User) -> None:
    announcement = announce()
    client = signed_in(ann)

    answer = away(client, announcement, Referer="http://testserver/catalog/")
    away(client, announcement)

    assert (answer.status_code, answer["Location"]) == (302, "http://testserver/catalog/")
    assert AnnouncementDismissal.objects.count() == 1
    assert not sees(client)
    assert not sees(signed_in(ann), reverse("catalog:index"))
    assert sees(signed_in(ben))
    assert sees(Client())
    assert sees(client, "/announcements/")  # to be read again


def test_bar_when_put_away_by_a_visitor_is_gone_in_that_browser(client: Client) -> None:
    announcement = announce()
    newer = announce(titles={"en": "And more news"})

    away(client, newer)
    away(client, announcement)

    cookie = client.cookies["dismissed"]
    assert (cookie.value, cookie["httponly"], cookie["samesite"]) == (f"{announcement.pk}.{newer.pk}", True, "Lax")
    assert not sees(client)
    assert "And more news" not in page_words(client.get("/"))
    assert "And more news" in page_words(Client().get("/"))
    assert not AnnouncementDismissal.objects.exists()


@pytest.mark.parametrize("value", ["1.", "a", "1" * 400, "-1", "1.2.<script>", ".".join(["1"] * 31)])
def test_cookie_when_it_is_nothing_of_ours_hides_nothing(value: str) -> None:
    announce()
    client = Client()
    client.cookies["dismissed"] = value

    assert sees(client)


def test_bar_that_stays_cannot_be_put_away_and_what_is_not_yours_is_not_there(ann: User) -> None:
    stays = announce(dismissable=False, level="warning")
    others = announce(audience="group", group=CustomerGroup.objects.create(name="Panels"))
    later = announce(starts_at=timezone.now() + timedelta(days=1))
    client = signed_in(ann)

    assert [away(client, each).status_code for each in (stays, others, later)] == [404, 404, 404]
    assert "Hide this announcement" not in client.get("/").content.decode()
    assert client.get(reverse("support:dismiss_announcement", args=[stays.pk])).status_code == 405


@pytest.mark.parametrize("page", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_putting_away_leads_nowhere_else(client: Client, page: str) -> None:
    assert away(client, announce(), Referer=page)["Location"] == "/announcements/"


def test_cached_pages_when_bars_are_personal_hold_none(ann: User) -> None:
    service = put_on_sale("Followers")
    addresses = ["/", reverse("catalog:index"), reverse("catalog:category", args=[service.category_id])]
    addresses.append(reverse("orders:place", args=[service.pk]))
    announce(audience="customers", titles={"en": TITLE, "ru": ""})
    client = signed_in(ann)
    for _twice in range(2):
        assert all(sees(client, address) for address in addresses)

    kept = [cache.get(key.removeprefix(":1:")) for key in cached_keys()]

    assert kept
    bodies = [getattr(value[2], "body", b"") for value in kept if isinstance(value, tuple) and len(value) == 3]
    assert any(bodies)
    assert not any(TITLE.encode() in body for body in bodies if isinstance(body, bytes))


def cached_keys() -> list[str]:
    return list(cache.keys("cached:*"))  # type: ignore[attr-defined]  # django-redis


def test_page_when_nothing_is_announced_costs_no_query_more(ann: User) -> None:
    client = signed_in(ann)
    address = reverse("catalog:index")
    client.get(address)
    with CaptureQueriesContext(connection) as without:
        client.get(address)
    for audience in ("all", "resellers", "customers"):
        announce(audience=audience)
    client.get(address)
    with CaptureQueriesContext(connection) as with_three:
        client.get(address)

    assert len(with_three) - len(without) <= 2  # whether there is a key, and what was put away
    assert not [each for each in without if "support_" in each["sql"]]


HOSTILE = "</p><img src=x onerror=alert(1)>{{ 1 }}"


def test_text_when_it_is_hostile_is_shown_as_text(client: Client) -> None:
    announce(titles={"en": HOSTILE}, texts={"en": f"{HOSTILE}\n[x](javascript:alert(1))"}, link="/catalog/")

    for address in ("/", "/announcements/"):
        page = client.get(address).content.decode()
        assert "<img src=x" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;" in page
        assert 'href="javascript' not in page


# --- At the admin -----------------------------------------------------------------------------------------------------
def typed(**changed: Any) -> dict[str, Any]:
    return {
        "titles_en": TITLE,
        "titles_ru": "Переезд в воскресенье",
        "texts_en": "For an hour.",
        "texts_ru": "",
        "link": "/catalog/",
        "link_labels_en": "See services",
        "link_labels_ru": "",
        "audience": "all",
        "group": "",
        "level": "info",
        "dismissable": "on",
        "starts_at_0": "2026-03-01",
        "starts_at_1": "12:00",
        "ends_at_0": "",
        "ends_at_1": "",
        **changed,
    }


@pytest.fixture
def desk(sam: User) -> Client:
    """Sam at the admin."""
    return signed_in(sam)


def test_preview_shows_every_language_and_for_how_many_it_is_and_saves_nothing(desk: Client, ann: User) -> None:
    create_api_key(user=ann, name="panel")

    said = page_words(desk.post(reverse("admin:support_announcement_add"), typed(audience="resellers", _preview="1")))

    assert "Nothing has been saved yet." in said
    assert "It is for 1 customer now." in said
    assert said.count("For an hour.") >= 2  # Russian readers see the English text
    assert "Переезд в воскресенье" in said
    assert not Announcement.objects.exists()


def test_staff_publishes_changes_and_deletes_an_announcement(
    desk: Client, client: Client, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert desk.post(reverse("admin:support_announcement_add"), typed()).status_code == 302
    found = Announcement.objects.get()
    assert found.texts == {"en": "For an hour."}
    assert 'href="/catalog/">See services</a>' in client.get("/").content.decode()

    with django_capture_on_commit_callbacks(execute=True):
        desk.post(reverse("admin:support_announcement_change", args=[found.pk]), typed(link="", link_labels_en=""))
    assert "See services" not in page_words(client.get("/"))

    with django_capture_on_commit_callbacks(execute=True):
        desk.post(reverse("admin:support_announcement_delete", args=[found.pk]), {"post": "yes"})
    assert not sees(client)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"titles_en": ""}, "This field is required."),
        ({"link": "javascript:alert(1)"}, "Enter a page of the shop"),
        ({"link": "http://example.com/"}, "Enter a page of the shop"),
        ({"link": "//evil.example/"}, "Enter a page of the shop"),
        ({"link": "/\\evil.example/"}, "Enter a page of the shop"),
        ({"link": ""}, "The words of the link lead nowhere."),
        ({"audience": "group"}, "Choose the group."),
        ({"ends_at_0": "2026-02-01", "ends_at_1": "12:00"}, "It must end after it starts."),
        ({"texts_en": "x" * 4001}, "at most 4,000 characters"),
    ],
)
def test_announcement_when_something_is_wrong_is_refused_in_words(
    desk: Client, wrong: dict[str, str], said: str
) -> None:
    answer = desk.post(reverse("admin:support_announcement_add"), typed(**wrong))

    assert answer.status_code == 200
    assert said.replace(",", "") in page_words(answer).replace(",", "")
    assert not Announcement.objects.exists()
