"""Titles read into services: by a sync, by rules and corrections of staff over HTTP, and for what was there before."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.models import User
from catalog.models import Service, TitleRule
from catalog.operations.titles import preview_rule, refresh_titles, titles_are_unread
from catalog.sync.sync_catalog import sync_catalog
from catalog.tasks import read_titles
from tests.catalog.listing_rows import put_on_sale
from tests.catalog.syncs import LATER, NOW, QUARTER
from tests.pages import page_words
from tests.storefront.admin_rows import make_service

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db]
TITLE = "Instagram Followers | Real HQ | 30 Days Refill | 10K/Day | USA"


@pytest.fixture
def desk(sam: User, client: Client) -> Client:
    """Sam at the admin."""
    client.force_login(sam)
    return client


def test_sync_reads_new_and_changed_titles_and_writes_nothing_when_nothing_differs(
    sandbox: Any, client_upstream: Any, django_assert_num_queries: Any
) -> None:
    number = sandbox.add_service(name=TITLE, category="Instagram")
    sync_catalog(client=client_upstream, now=NOW)

    service = Service.objects.get(upstream_id=number)
    assert (service.name, service.short_title, service.short_name) == (
        TITLE,
        "Instagram Followers",
        "Instagram Followers",
    )
    assert (service.country, service.covered_days, service.speed_per_day) == ("us", 30, 10_000)
    assert service.facts["quality"] == ["real", "high"]
    assert service.sold_title == service.title == TITLE
    assert not titles_are_unread()

    sandbox.set_service(number, name="Instagram Followers | Germany")
    sync_catalog(client=client_upstream, now=LATER)

    service.refresh_from_db()
    assert (service.short_title, service.country, service.covered_days) == ("Instagram Followers", "de", None)
    assert refresh_titles() == 0
    assert sync_catalog(client=client_upstream, now=LATER + QUARTER).status == "unchanged"


def test_services_that_were_there_before_are_read_by_the_worker() -> None:
    service = put_on_sale(TITLE)
    assert service.short_name == TITLE  # until then it is what it was

    read_titles()

    service.refresh_from_db()
    assert (service.short_name, service.country) == ("Instagram Followers", "us")
    assert refresh_titles() == 0


def test_short_name_is_the_shops_own_else_the_readers_languages(settings: Any) -> None:
    settings.CATALOG_LANGUAGES = ("ru",)
    russian = "Подписчики Instagram | Живые | США"
    service = put_on_sale("Instagram Followers | Real | USA", translated_names={"ru": russian})
    refresh_titles()
    service.refresh_from_db()

    assert service.short_name == "Instagram Followers"
    with translation.override("ru"):
        assert (service.short_name, service.title) == ("Подписчики Instagram", russian)
    service.display_name = "Fans | Gold"
    assert service.short_name == "Fans | Gold"
    service.short_title_override = "Fans"
    assert service.short_name == "Fans"
    assert service.title == "Fans | Gold"


def rule(**fields: Any) -> dict[str, Any]:
    blank = {"pattern": "", "kind": "remove", "replacement": "", "fact": "", "value": "", "position": "0"}
    return {**blank, "active": "on", **fields}


def test_rules_of_each_kind_change_names_and_leave_the_title(desk: Client) -> None:
    service = put_on_sale("!Promo! IG Followers | Gold | Warm 12 days | USA")
    add = reverse("admin:catalog_titlerule_add")

    for fields in (
        {"pattern": "!Promo!"},
        {"pattern": "IG", "kind": "replace", "replacement": "Instagram"},
        {"pattern": "gold", "kind": "fact", "fact": "quality", "value": "premium"},
        {"pattern": "Warm # days", "kind": "fact", "fact": "refill_days", "value": "#"},
    ):
        assert desk.post(add, rule(**fields)).status_code == 302

    service.refresh_from_db()
    assert service.short_name == "Instagram Followers"
    assert service.facts == {"quality": ["premium"], "refill_days": 12, "country": "us"}
    assert service.name == "!Promo! IG Followers | Gold | Warm 12 days | USA"

    desk.post(reverse("admin:catalog_titlerule_changelist"), {
        "action": "delete_selected", "_selected_action": [row.pk for row in TitleRule.objects.all()], "post": "yes",
    })  # fmt: skip
    service.refresh_from_db()
    assert not TitleRule.objects.exists()
    assert service.short_name == "!Promo! IG Followers | Gold | Warm 12 days"


def test_rule_is_shown_before_it_is_saved(desk: Client) -> None:
    put_on_sale("IG Followers | USA")
    put_on_sale("Big Followers")

    shown = desk.post(
        reverse("admin:catalog_titlerule_add"),
        rule(pattern="IG", kind="replace", replacement="Instagram", _preview="1"),
    )

    assert "Titles on sale with this pattern 1 Of these, read differently 1" in page_words(shown)
    assert "IG Followers | USA IG Followers Instagram Followers" in page_words(shown)
    assert not TitleRule.objects.exists()


def test_preview_of_a_changed_rule_compares_with_what_it_was() -> None:
    put_on_sale("Gold Followers")
    put_on_sale("Silver Followers")
    stored = TitleRule.objects.create(pattern="gold", kind="remove")

    stored.pattern = "silver"
    effect = preview_rule(stored)

    assert (effect.matching, effect.changed) == (2, 2)
    assert sorted(effect.examples) == [
        ("Gold Followers", "Followers", "Gold Followers"),
        ("Silver Followers", "Silver Followers", "Followers"),
    ]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"pattern": "**"}, "Enter at least one letter or digit."),
        ({"pattern": "a * b * c *"}, "Use * at most twice."),
        ({"pattern": "x", "kind": "replace"}, "Enter what stands in the name instead."),
        ({"pattern": "x", "kind": "fact"}, "Choose which fact this is."),
        ({"pattern": "x", "kind": "fact", "fact": "country", "value": "Mars"}, "This fact can't have this value."),
    ],
)
def test_rule_that_says_nothing_is_refused(desk: Client, fields: dict, said: str) -> None:
    answer = desk.post(reverse("admin:catalog_titlerule_add"), rule(**fields))

    assert answer.status_code == 200
    assert said in page_words(answer).replace("’", "'")
    assert not TitleRule.objects.exists()


def test_rule_that_would_leave_no_name_leaves_the_title() -> None:
    service = put_on_sale("Gold")
    TitleRule.objects.create(pattern="gold", kind="remove")

    refresh_titles()

    service.refresh_from_db()
    assert service.short_name == "Gold"


def test_service_is_corrected_by_itself_and_found_by_its_own_short_name(desk: Client) -> None:
    service = make_service(1)
    page = reverse("admin:catalog_service_change", args=[service.pk])
    form = {"visible": "on", "position": "0", "short_title_override": "Sunny fans", "facts_override": "country: de"}

    assert desk.post(page, form).status_code == 302

    service.refresh_from_db()
    assert (service.short_name, service.facts, service.country) == ("Sunny fans", {"country": "de"}, "de")
    assert Service.objects.matching("sunny").get() == service
    refused = desk.post(page, {**form, "facts_override": "country: Mars"})
    assert "This line can't be read: country: Mars" in page_words(refused)
    assert "country: de" in desk.get(page).content.decode()


def test_correction_of_a_service_survives_the_next_sync(sandbox: Any, client_upstream: Any) -> None:
    number = sandbox.add_service(name="Followers | USA", category="Instagram")
    sync_catalog(client=client_upstream, now=NOW)
    Service.objects.filter(upstream_id=number).update(facts_override={"country": "fr"}, short_title_override="Fans")

    sandbox.set_service(number, name="Followers | USA | Real")
    sync_catalog(client=client_upstream, now=LATER)

    service = Service.objects.get(upstream_id=number)
    assert (service.short_name, service.country, service.facts["quality"]) == ("Fans", "fr", ["real"])
    assert Service.objects.matching("fans").get() == service
