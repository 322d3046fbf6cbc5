"""The sync of countries and projects: applied whole, or not at all."""

import pytest
from django.utils import translation

from catalog.models import SyncRun
from sms.formats.countries import dial_code_of
from sms.models import Country, Project, Site
from sms.sync import sync_sms
from upstream.errors import UpstreamError


def test_sync_sms_copies_countries_and_projects(sandbox, client_upstream, db):
    run = sync_sms(client=client_upstream)

    assert (run.status, run.added) == (SyncRun.Status.APPLIED, Project.objects.count())
    project = Project.objects.select_related("country").get(name="OpenAI / ChatGPT", country__code="us")
    assert (project.price_upstream_micros, project.country.name) == (500_000, "United States")


def test_sync_sms_when_nothing_changed_says_so(sandbox, client_upstream, db):
    sync_sms(client=client_upstream)

    run = sync_sms(client=client_upstream)

    assert (run.status, run.added, run.changed, run.withdrawn) == (SyncRun.Status.UNCHANGED, 0, 0, 0)


def test_sync_sms_takes_a_new_price_and_leaves_what_the_admin_set(sandbox, client_upstream, db):
    sync_sms(client=client_upstream)
    project = Project.objects.order_by("pk").first()
    Project.objects.filter(pk=project.pk).update(visible=False)
    Country.objects.filter(pk=project.country_id).update(name="Elsewhere")
    sandbox.set_project(project.upstream_id, price="9.9900")

    run = sync_sms(client=client_upstream)

    project.refresh_from_db()
    assert (run.changed, project.price_upstream_micros, project.visible) == (1, 9_990_000, False)
    assert project.country.name == "Elsewhere"


def test_sync_sms_withdraws_after_two_syncs_without_and_takes_back(sandbox, client_upstream, db):
    sync_sms(client=client_upstream)
    gone = Project.objects.create(
        upstream_id="not there", country=Country.objects.first(), name="Gone", price_upstream_micros=1
    )

    withdrawn = [sync_sms(client=client_upstream).withdrawn for _each in range(3)]

    gone.refresh_from_db()
    assert withdrawn == [0, 1, 0]
    assert gone.withdrawn_at is not None


def test_sync_sms_when_upstream_is_down_changes_nothing_and_says_why(sandbox, client_upstream, db):
    sync_sms(client=client_upstream)
    before = list(Project.objects.order_by("pk").values())
    sandbox.fail_next("500_before", times=5)

    with pytest.raises(UpstreamError):
        sync_sms(client=client_upstream)

    assert SyncRun.objects.order_by("-pk")[0].status == SyncRun.Status.FAILED
    assert list(Project.objects.order_by("pk").values()) == before


def test_sync_sms_sets_a_project_without_a_price_aside_and_names_it(sandbox, client_upstream, db):
    row = next(row for row in client_upstream.sms_projects(country="us"))
    sandbox.set_project(row.project_id, price="0.0000")

    run = sync_sms(client=client_upstream)

    assert run.status == SyncRun.Status.APPLIED
    assert run.set_aside == [{"service": row.project_id, "field": "price", "problem": "is 0.0000"}]
    assert not Project.objects.filter(upstream_id=row.project_id).exists()


def test_sync_sms_makes_countries_found_by_code_dial_code_and_name_in_every_language(sandbox, client_upstream, db):
    sync_sms(client=client_upstream)

    country = Country.objects.get(code="gb")
    assert country.dial_code == "+44"
    for word in ("gb", " 44 ", "united kingdom", "великобритания", "uk"):
        assert word in f" {country.search_text} "
    with translation.override("ru"):
        assert country.display_name == "Великобритания"
    assert (country.display_name, country.flag) == ("United Kingdom", "🇬🇧")


def test_sync_sms_gives_old_countries_a_dial_code_though_nothing_else_changed(sandbox, client_upstream, db):
    sync_sms(client=client_upstream)
    Country.objects.update(dial_code="", search_text="")
    Country.objects.filter(code="us").update(dial_code="+1999")  # staff's own
    Site.objects.filter(name="Telegram").update(search_text="", aliases="TG")

    run = sync_sms(client=client_upstream)

    assert run.status == SyncRun.Status.UNCHANGED
    assert not Country.objects.filter(dial_code="").exists()
    assert Country.objects.get(code="us").search_text.startswith("us 1999 united states")
    assert Site.objects.get(name="Telegram").search_text == "telegram tg"


@pytest.mark.parametrize(
    ("code", "name", "dial_code", "flag", "shown"),
    [
        ("+93", "afghanistan", "+93", "🇦🇫", "Afghanistan"),
        ("44", "United Kingdom", "+44", "🇬🇧", "United Kingdom"),
        ("+7", "Kazakhstan", "+7", "🇰🇿", "Kazakhstan"),
        ("uk", "England", "+44", "🇬🇧", "United Kingdom"),
        ("c1", "Atlantis", "", "", "Atlantis"),
        ("+99999", "Nowhere", "+99999", "", "Nowhere"),
    ],
)
def test_country_when_its_code_is_a_dial_code_or_nobodys_is_shown_as_well_as_can_be(code, name, dial_code, flag, shown):
    country = Country(code=code, name=name)

    assert (dial_code_of(code, name), country.flag, country.display_name) == (dial_code, flag, shown)
