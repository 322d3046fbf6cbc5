"""One row for each country, however many ways upstream has of writing it; its own words count."""

import importlib
import json
from decimal import Decimal

import pytest
from django.apps import apps
from django.urls import reverse
from django.utils import timezone, translation

from catalog.models import SyncRun
from catalog.sync.runs import close_run, recorded_run
from orders.fulfilment.forward import forward_order
from sms.country_rows import country_called, keep_countries, merge_countries
from sms.formats.countries import dial_code_of, region_of, written_name
from sms.models import Country, Number, NumberMarkupRule, Project, Site, SuccessRate
from sms.sync import at_places, sync_sms
from tests.clock import stopped_at
from tests.storefront.admin_rows import make_order
from upstream.protocol.wire import SmsProject

pytestmark = pytest.mark.django_db


def row(code: str, title: str, project_id: str = "p1", price: str = "1") -> SmsProject:
    return SmsProject(
        project_id=project_id, name="Telegram", price=Decimal(price), country_id=code, country_title=title
    )


@pytest.mark.parametrize(
    ("code", "title", "region", "dial_code"),
    [
        ("us", "United States", "US", "+1"),
        ("US", "united states of america", "US", "+1"),
        ("USA", "", "US", "+1"),
        ("840", "United States", "US", "+1"),
        ("840", "", "US", "+1"),
        ("uk", "", "GB", "+44"),
        ("gb", "united kingdom", "GB", "+44"),
        ("44", "United Kingdom", "GB", "+44"),
        ("+44", "Jersey", "JE", "+44"),
        ("+1", "Canada", "CA", "+1"),
        ("1", "", "US", "+1"),
        ("+1876", "Jamaica", "JM", "+1876"),
        ("us", "Germany", "DE", "+49"),  # the title counts
        ("372", "Ireland", "IE", "+353"),  # a number of ISO 3166, and Estonia's dial code
        ("372", "Estonia", "EE", "+372"),
        ("us", "Atlantis", "", ""),  # a guess would beat what is said
        ("la", "Lao people's democratic republic", "LA", "+856"),
        ("cd", "Congo", "CD", "+243"),
        ("cg", "Congo", "CG", "+242"),
        ("x1", "Congo", "", ""),
        ("ci", "Cote d'Ivoire", "CI", "+225"),
        ("x2", "Ivory Coast", "CI", "+225"),
        ("hk", "Hong Kong", "HK", "+852"),
        ("kr", "Korea", "KR", "+82"),
        ("7", "Россия", "RU", "+7"),
        ("7", "Kazakhstan", "KZ", "+7"),
        ("gq", "Guinea", "GN", "+224"),
        ("tz", "Tanzania, United Republic of", "TZ", "+255"),
        ("us", "United\u00a0St\u200bates", "US", "+1"),
        ("zz", "", "", ""),
        ("eu", "", "", ""),
    ],
)
def test_region_of_reads_the_title_first_and_a_code_where_it_agrees(code, title, region, dial_code) -> None:
    assert (region_of(code, title), dial_code_of(code, title)) == (region, dial_code)


@pytest.mark.parametrize(
    ("code", "title", "written"),
    [
        ("la", "Lao people's Democratic Republic", "Lao people's Democratic Republic"),
        ("la", "lao people's democratic republic", "Lao People's Democratic Republic"),
        ("us", "united states", "United States"),
        ("ba", "bosnia and herzegovina", "Bosnia and Herzegovina"),
        ("x1", "land of o'neill", "land of o'neill"),
        ("us", "", "United States"),
        ("us", "US", "United States"),
        ("x1", "", "x1"),
        ("de", "GERMANY", "GERMANY"),
    ],
)
def test_written_name_is_what_upstream_wrote_with_capitals_where_it_had_none(code, title, written) -> None:
    assert written_name(code, title) == written


def test_country_is_shown_in_english_as_upstream_writes_it_and_in_other_languages_by_its_name() -> None:
    laos = Country(code="la", name="Lao people's Democratic Republic")

    assert laos.display_name == "Lao people's Democratic Republic"
    with translation.override("ru"):
        assert laos.display_name == "Лаос"


def test_keep_countries_makes_one_of_two_ways_of_writing_a_country() -> None:
    rows = [row("US", "US"), row("us", "United States"), row("gb", "United Kingdom"), row("uk", ""), row("+44", "UK")]

    found = keep_countries({}, rows)

    assert sorted(Country.objects.values_list("code", "name")) == [("US", "United States"), ("gb", "United Kingdom")]
    assert found["US", "US"] == found["us", "United States"]
    assert found["gb", "United Kingdom"] == found["uk", ""] == found["+44", "UK"]


def test_keep_countries_tells_two_countries_of_one_dial_code_apart() -> None:
    found = keep_countries({}, [row("+1", "United States"), row("+1", "Canada"), row("c1", "Atlantis")])

    assert found["+1", "United States"].code == "+1"
    assert (found["+1", "Canada"].code, found["+1", "Canada"].flag) == ("ca", "🇨🇦")
    again = keep_countries({}, [row("+1", "Canada"), row("+1", "United States"), row("c1", "Atlantis")])
    assert Country.objects.count() == 3
    assert again["+1", "Canada"] == found["+1", "Canada"]


def test_keep_countries_mends_what_was_capitalized_by_a_guess() -> None:
    Country.objects.create(code="la", name="Lao People'S Democratic Republic")

    keep_countries({}, [row("la", "Lao people's Democratic Republic")])

    assert Country.objects.get().name == "Lao people's Democratic Republic"


def test_merge_countries_moves_all_that_points_at_a_double_and_asks_as_before(ann) -> None:
    kept, double = Country.objects.create(code="gb", name="UK"), Country.objects.create(code="uk", name="England")
    Country.objects.filter(pk=double.pk).update(visible=False)
    own = Project.objects.create(upstream_id="a", country=kept, name="Telegram", price_upstream_micros=1)
    twin = Project.objects.create(upstream_id="a", country=double, name="Telegram", price_upstream_micros=1)
    other = Project.objects.create(upstream_id="b", country=double, name="Viber", price_upstream_micros=1)
    SuccessRate.objects.create(project=twin, observed=1, received=1, counted_at=timezone.now())
    number = Number.objects.create(order=make_order(ann), project=twin, phone="+44")
    rules = [
        NumberMarkupRule.objects.create(scope="country", country=double, percent=5),
        NumberMarkupRule.objects.create(scope="project", project=twin, percent=5),
    ]

    assert merge_countries() == 1

    assert list(Country.objects.values_list("code", "visible")) == [("gb", False)]
    number.refresh_from_db()
    other.refresh_from_db()
    assert (number.project, other.country) == (own, kept)
    assert (own.country_upstream, other.country_upstream) == ("gb", "uk")
    for rule in rules:
        rule.refresh_from_db()
    assert (rules[0].country, rules[1].project) == (kept, own)
    assert merge_countries() == 0


def test_a_number_is_asked_for_with_what_upstream_calls_its_country(sandbox, client_upstream, buy, project) -> None:
    Country.objects.filter(pk=project.country_id).update(code="USA")
    Project.objects.filter(pk=project.pk).update(country_code="us")
    [order] = buy()

    assert forward_order(order.pk, client=client_upstream, clock=stopped_at(timezone.now()))

    order.refresh_from_db()
    assert order.upstream_id


@pytest.mark.parametrize("code", ["us", "US", "usa", "840", "+1", "1"])
def test_country_called_knows_every_way_of_writing_a_code(client, code) -> None:
    country = Country.objects.create(code="us", name="United States")

    assert country_called(code) == country
    assert client.get(reverse("sms:country", args=[code])).status_code == 200
    assert country_called("xx") is None


def test_upgrade_brings_stored_texts_of_numbers_up_to_date() -> None:
    country = Country.objects.create(code="tr", name="Türkiye")
    project = Project.objects.create(upstream_id="a", country=country, name="x", price_upstream_micros=1)
    for model in (Country, Project, type(project.site)):
        model.objects.update(search_text="i̇nstagram 𝗿éels")

    importlib.import_module("sms.migrations.0006_search_by_what_is_seen").rewrite(apps, None)

    for model in (Country, Project, type(project.site)):
        assert list(model.objects.values_list("search_text", flat=True)) == ["instagram reels"]


def test_sync_sms_makes_one_country_of_two_spellings_that_an_older_version_kept(sandbox, client_upstream) -> None:
    sync_sms(client=client_upstream)
    usual = Country.objects.get(code="us")
    old = Country.objects.create(code="USA", name="United States of America")
    moved = Project.objects.create(upstream_id="x", country=old, name="Telegram", price_upstream_micros=1)

    sync_sms(client=client_upstream)

    moved.refresh_from_db()
    assert (moved.country, moved.country_upstream) == (usual, "USA")
    assert not Country.objects.filter(code="USA").exists()


def test_a_project_listed_in_two_spellings_of_its_country_counts_at_the_dearer_price_and_is_named() -> None:
    rows = [row("us", "United States", "p1", "0.20"), row("USA", "", "p1", "0.90"), row("USA", "", "p2", "0.30")]
    rows += [row("us", "United States", "p2", "0.30")]
    countries = keep_countries({}, rows)
    with recorded_run(SyncRun.Kind.SMS, now=timezone.now()) as run:
        run.counts["set_aside"] = []

        placed = at_places(run, rows, countries)

        [named] = run.counts["set_aside"]
        close_run(run, SyncRun.Status.UNCHANGED)

    us = Country.objects.get().pk
    assert placed == {("p1", us): (rows[1], "USA"), ("p2", us): (rows[2], "USA")}
    assert (named["service"], "the dearer counts" in named["problem"]) == ("p1", True)


def test_merge_when_both_rows_have_a_rule_of_their_own_keeps_that_of_the_row_that_stays() -> None:
    one = Country.objects.create(code="us", name="United States")
    other = Country.objects.create(code="USA", name="United States")
    for country, percent in ((one, 10), (other, 20)):
        NumberMarkupRule.objects.create(scope="country", country=country, percent=percent)

    assert merge_countries() == 1

    assert list(NumberMarkupRule.objects.values_list("country", "percent")) == [(one.pk, 10)]


@pytest.mark.parametrize("code", ["", "a/b", ".", "..", "a b", "%00"])
def test_country_whose_code_cannot_stand_in_an_address_gets_one_that_can(code: str, client) -> None:
    keep_countries({}, [row(code, "Germany")])
    country = Country.objects.get()
    Project.objects.create(upstream_id="p1", country=country, name="Telegram", price_upstream_micros=1)

    assert country.code == "de"
    assert client.get(reverse("sms:home"), {"by": "country"}).status_code == 200


@pytest.mark.parametrize("title", ["null", "None", "N/A", "undefined", "-", "NA", "unknown", "<null>"])
def test_a_title_that_says_nothing_is_no_country_and_takes_none_over(sandbox, client_upstream, title: str) -> None:
    plain = {"name": "Telegram", "price": "0.50"}
    rows = [
        {**plain, "project_id": "a", "country_id": "us", "country_title": title},
        {**plain, "project_id": "b", "country_id": "us", "country_title": "USA"},
        {**plain, "project_id": "c", "country_id": "na", "country_title": title},
        {**plain, "project_id": "d", "country_id": "x17", "country_title": title},
        {**plain, "project_id": "e", "country_id": "x17", "country_title": "Germany"},
        {**plain, "project_id": "f", "country_id": "x18", "country_title": title},
        {**plain, "project_id": "g", "country_id": title, "country_title": "Germany"},
        *({**plain, "project_id": f"n{n}", "country_id": "us", "country_title": "USA"} for n in range(40)),
    ]
    sandbox.fail_next("garbage", action="sms_projects", text=json.dumps(rows))

    run = sync_sms(client=client_upstream)

    assert run.status == SyncRun.Status.APPLIED
    kept = dict(Project.objects.exclude(upstream_id__startswith="n").values_list("upstream_id", "country__name"))
    germany = {"d": "Germany", "e": "Germany", "f": "x18", "g": "Germany"}
    assert kept == {"a": "United States", "b": "United States", "c": "Namibia", **germany}


def test_a_project_that_names_neither_a_country_nor_itself_is_set_aside(sandbox, client_upstream) -> None:
    plain = {"name": "Telegram", "price": "0.50", "country_id": "us", "country_title": "USA"}
    rows = [
        {**plain, "project_id": "a", "country_id": "null", "country_title": "None"},
        {**plain, "project_id": "b", "name": "null"},
        {**plain, "project_id": "null"},
        *({**plain, "project_id": f"n{n}"} for n in range(100)),
    ]
    sandbox.fail_next("garbage", action="sms_projects", text=json.dumps(rows))

    run = sync_sms(client=client_upstream)

    assert [(row["service"], row["field"]) for row in run.set_aside] == [
        *(("b", "name"), ("null", "project_id"), ("a", "country_id")),
    ]
    assert list(Site.objects.values_list("name", flat=True)) == ["Telegram"]
    assert Country.objects.count() == 1


def test_a_country_that_was_kept_without_a_name_gets_one() -> None:
    old = Country.objects.create(code="us", name="null")
    assert old.display_name == "United States"

    assert keep_countries({}, [row("us", "USA")])["us", "USA"] == old

    old.refresh_from_db()
    assert old.name == "USA"


def test_a_row_without_a_title_is_in_the_country_that_has_its_code() -> None:
    kept = Country.objects.create(code="x17", name="Germany")

    assert keep_countries({}, [row("x17", "")])["x17", ""] == kept
    two = [row("x9", "Germany"), row("x9", "France"), row("x9", "")]
    assert keep_countries({}, two)["x9", ""].name == "x9"
