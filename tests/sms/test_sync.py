"""The sync of countries and projects: applied whole, or not at all."""

import pytest

from catalog.models import SyncRun
from sms.models import Country, Project
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
