"""One row for each website or app, however upstream spells it; ids that somebody holds go on working."""

import json
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from api.models import SimulatedOrder
from sms.country_rows import country_called, keep_countries, merge_countries
from sms.merging import find_row
from sms.models import Country, FormerKey, Number, NumberMarkupRule, Project, Site
from sms.operations import buy_numbers
from sms.policy import apply_words
from sms.site_rows import keep_sites, merge_sites
from sms.sync import sync_sms
from tests.api.conftest import call, key  # noqa: F401 - fixtures
from tests.sms.test_country_rows import row
from tests.storefront.admin_rows import make_order

pytestmark = pytest.mark.django_db
ALIKE = ["Viber", "viber", "Ｖiber", "Vi\u0301ber", "V\ufe0fiber"]


def project_in(country: Country, upstream_id: str = "a", **fields: Any) -> Project:
    return Project.objects.create(
        **{"upstream_id": upstream_id, "country": country, "name": "Viber", "price_upstream_micros": 1, **fields}
    )


def test_sync_sms_makes_one_website_of_names_that_look_alike(sandbox, client_upstream) -> None:
    plain = {"price": "0.50", "country_id": "us", "country_title": "USA"}
    rows = [{**plain, "project_id": f"p{place}", "name": name} for place, name in enumerate(ALIKE)]

    for _each in range(2):
        sandbox.fail_next("garbage", action="sms_projects", text=json.dumps(rows))
        sync_sms(client=client_upstream)
        assert Site.objects.count() == 1
        assert set(Project.objects.values_list("site", flat=True)) == {Site.objects.get().pk}

    assert Project.objects.count() == len(ALIKE)


def test_keep_sites_makes_twins_of_an_older_version_one_and_keeps_what_staff_set() -> None:
    kept = Site.objects.create(name="Viber", aliases="viper chat")
    double = Site.objects.create(name="viber", aliases="chat вайбер", visible=False, translated_names={"ru": "Вайбер"})
    country = Country.objects.create(code="us", name="USA")
    moved = project_in(country, site=double)
    rule = NumberMarkupRule.objects.create(scope="site", site=double, percent=5)

    assert keep_sites({"VIBER", "Zalo"})["VIBER"] == kept.pk

    kept.refresh_from_db()
    moved.refresh_from_db()
    rule.refresh_from_db()
    assert (kept.name, kept.aliases, kept.visible) == ("Viber", "viper chat вайбер", False)
    assert (kept.translated_names, "вайбер" in kept.search_text) == ({"ru": "Вайбер"}, True)
    assert (moved.site, rule.site) == (kept, kept)
    assert list(Site.objects.values_list("name", flat=True)) == ["Viber", "Zalo"]
    assert merge_sites() == 0


def test_merged_websites_are_forbidden_alike() -> None:
    for name in ("Bank", "bank"):
        Site.objects.create(name=name, forbidden=True)

    keep_sites({"Bank"})

    assert Site.objects.get().forbidden
    assert apply_words() == 1  # no word forbids it any more


def test_page_of_a_website_that_was_made_one_with_another_leads_to_it(client: Client) -> None:
    kept, middle = Site.objects.create(name="Viber"), Site.objects.create(name="viber")
    keep_sites({"Viber"})
    newest = Site.objects.create(name="Another")
    FormerKey.objects.create(of="site", key="999999", row_id=newest.pk)
    Site.objects.filter(pk=newest.pk).update(name="VIBER")
    keep_sites({"Viber"})

    for gone in (middle.pk, newest.pk, 999999):
        assert client.get(reverse("sms:site", args=[gone]))["Location"] == reverse("sms:site", args=[kept.pk])
    assert client.get(reverse("sms:site", args=[kept.pk])).status_code == 200
    assert client.get(reverse("sms:site", args=[123456])).status_code == 404


def test_project_id_that_a_reseller_holds_buys_after_its_country_was_merged(call, ann, client, client_upstream) -> None:  # noqa: F811
    known = next(row for row in client_upstream.sms_projects(country="us"))
    usual = Country.objects.create(code="us", name="United States")
    old = Country.objects.create(code="x-usa", name="USA", visible=True, translated_names={"ru": "Штаты"})
    kept, twin = (project_in(country, known.project_id, price_upstream_micros=500_000) for country in (usual, old))
    simulated = SimulatedOrder.objects.create(user=ann, kind="number", project=twin, quantity=1, price_micros=1)

    assert merge_countries() == 1

    assert not Project.objects.filter(pk=twin.pk).exists()
    answer = call("add_sms", project_id=twin.pk, country="x-usa")
    assert "orders" in answer
    simulated.refresh_from_db()
    assert simulated.project == kept
    assert set(Number.objects.values_list("project", flat=True)) == {kept.pk}
    assert [found["project_id"] for found in call("sms_projects", country="x-usa")] == [str(kept.pk)]
    usual.refresh_from_db()
    assert (country_called("x-usa"), usual.translated_names) == (usual, {"ru": "Штаты"})
    assert client.get(reverse("sms:buy", args=[twin.pk]))["Location"] == reverse("sms:buy", args=[kept.pk])
    assert client.get(reverse("sms:country", args=["x-usa"])).status_code == 200
    assert call("add_sms", project_id=twin.pk, country="gb") == {"error": "Project not found"}


def test_former_code_of_a_country_is_not_given_to_another() -> None:
    usual = Country.objects.create(code="us", name="United States")
    Country.objects.create(code="x7", name="USA")
    merge_countries()

    keep_countries({}, [row("x7", "Atlantis")])

    assert country_called("x7") == usual
    assert Country.objects.get(name="Atlantis").code == "x7-2"


def test_merge_countries_keeps_numbers_and_hidden_projects(ann) -> None:
    usual, old = Country.objects.create(code="us", name="US"), Country.objects.create(code="USA", name="USA")
    kept, twin = project_in(usual), project_in(old, visible=False)
    number = Number.objects.create(order=make_order(ann), project=twin, phone="+1")

    merge_countries()

    number.refresh_from_db()
    kept.refresh_from_db()
    assert (number.project, kept.visible) == (kept, False)


def test_a_website_is_shown_in_the_spelling_that_was_listed_first() -> None:
    keep_sites(["viber", "VIBER"])

    assert Site.objects.get().name == "viber"


@pytest.mark.parametrize("withdrawn", [False, True])
def test_merged_projects_stay_on_sale_at_the_dearer_price(withdrawn: bool) -> None:
    kept = project_in(
        Country.objects.create(code="us", name="USA"),
        price_upstream_micros=100_000,
        withdrawn_at=timezone.now() if withdrawn else None,
    )
    project_in(Country.objects.create(code="usa", name="United States"), price_upstream_micros=900_000)

    merge_countries()

    kept.refresh_from_db()
    assert (kept.price_upstream_micros, kept.withdrawn_at) == (900_000, None)


def test_a_purchase_repeated_by_a_former_id_of_its_project_is_the_one_that_was_made(ann: User) -> None:
    project_in(Country.objects.create(code="us", name="USA"))
    double = project_in(Country.objects.create(code="usa", name="United States"), price_upstream_micros=500_000)
    bought = buy_numbers(user=ann, project=double, request_id="r-1")
    merge_countries()

    again = buy_numbers(user=ann, project=find_row(Project.objects.all(), double.pk), request_id="r-1")

    assert [order.pk for order in again] == [order.pk for order in bought]


def test_a_row_without_a_title_is_in_the_country_that_had_its_code() -> None:
    kept = Country.objects.create(code="de", name="Germany")
    Country.objects.create(code="x17", name="GERMANY")
    merge_countries()
    assert Country.objects.count() == 1

    assert keep_countries({}, [row("x17", "")])["x17", ""] == kept
