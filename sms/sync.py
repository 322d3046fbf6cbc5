"""Copying upstream's countries and projects, with the price of a number in each."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from catalog.models import SyncRun
from catalog.sync.runs import (
    RunningSync,
    SyncRejected,
    close_run,
    recorded_run,
    reject_many_set_aside,
    reject_mass_vanishing,
)
from sms.formats.countries import dial_code_of, search_text
from sms.models import Country, Project, Site
from sms.policy import apply_words
from upstream.client import Client
from upstream.money import micros_from_decimal
from upstream.protocol.wire import SmsProject

GONE_AFTER_SYNCS = 2
LONGEST_PROJECT_ID = 64
LONGEST_COUNTRY_CODE = 20
Progress = Callable[[str, int, int], None]
Rows = dict[tuple[str, str], SmsProject]


def sync_sms(*, client: Client, now: datetime | None = None, progress: Progress | None = None) -> SyncRun:
    """Fetch all countries and projects, then apply the difference in one transaction; return the run.

    An empty answer, or one in which too much is missing or without a price, is not applied: the run says so. A project
    is withdrawn after two complete syncs without it. `progress` is told (stage, done, total).
    Raises catalog.sync.runs.SyncAlreadyRunning, and the client's read errors after noting them in the run.
    """
    now = now or timezone.now()
    tell = progress or (lambda stage, done, total: None)
    with recorded_run(SyncRun.Kind.SMS, now=now) as run:
        requests_before = client.usage.requests
        countries = {row.country_code: row.country_name for row in client.sms_countries()}
        tell("countries and projects", 1, 2)
        answers = client.sms_projects()
        tell("countries and projects", 2, 2)
        rows = {(row.project_id, row.country_id): row for row in answers if not _problem(row)}
        set_aside = [
            {"service": row.project_id[:64], "field": problem[0], "problem": problem[1]}
            for row in answers
            if (problem := _problem(row))
        ]
        run.counts.update(requests=client.usage.requests - requests_before, total=len(answers), set_aside=set_aside)
        if not rows:
            raise SyncRejected("Upstream sent no SMS projects.")
        reject_many_set_aside(total=len(answers), set_aside=len(set_aside))
        with transaction.atomic():
            _apply_countries(countries, rows)
            changed = _apply_projects(run, rows, now)
            apply_words()
            close_run(run, SyncRun.Status.APPLIED if changed else SyncRun.Status.UNCHANGED)
    return run.row


def _problem(row: SmsProject) -> tuple[str, str] | None:
    """Return the field at fault and what is wrong with it, for a row that cannot be sold or kept."""
    if row.price <= 0:
        return "price", f"is {row.price}"
    if len(row.project_id) > LONGEST_PROJECT_ID:
        return "project_id", f"is longer than {LONGEST_PROJECT_ID} characters"
    if len(row.country_id) > LONGEST_COUNTRY_CODE:
        return "country_id", f"is longer than {LONGEST_COUNTRY_CODE} characters"
    return None


def _apply_countries(countries: dict[str, str], rows: Rows) -> None:
    """Countries are keyed by what projects call them; upstream's own list may use dial codes instead.

    What a country is found by is brought up to date for all of them, a dial code only where there is none yet.
    """
    names = {row.country_id: row.country_title or countries.get(row.country_id, "") for row in rows.values()}
    known = {country.code: country for country in Country.objects.all()}
    Country.objects.bulk_create(
        _found_by(Country(code=code, name=_country_name(name or code)))
        for code, name in names.items()
        if code not in known
    )
    stale = []
    for country in known.values():
        before = (country.dial_code, country.search_text)
        _found_by(country)
        if (country.dial_code, country.search_text) != before:
            stale.append(country)
    Country.objects.bulk_update(stale, ["dial_code", "search_text"], batch_size=200)


def _found_by(country: Country) -> Country:
    country.dial_code = country.dial_code or dial_code_of(country.code, country.name)
    country.search_text = search_text(country.code, country.name, country.dial_code)
    return country


def _country_name(name: str) -> str:
    # Some answers carry the title in lower case.
    return (name.title() if name.islower() else name)[:100]


def _sites(names: set[str]) -> dict[str, int]:
    """Return the id of the website or app of each name, new ones added; what all are found by is kept right."""
    known = {site.name: site for site in Site.objects.all()}
    Site.objects.bulk_create(Site(name=name, search_text=name.lower()) for name in sorted(names - known.keys()))
    stale = [site for site in known.values() if site.search_text != site.found_by()]
    for site in stale:
        site.search_text = site.found_by()
    Site.objects.bulk_update(stale, ["search_text"], batch_size=200)
    return dict(Site.objects.values_list("name", "pk"))


def _apply_projects(run: RunningSync, rows: Rows, now: datetime) -> int:
    """Return how many rows were touched. Raises SyncRejected when too many are missing."""
    country_ids = dict(Country.objects.values_list("code", "pk"))
    site_ids = _sites({row.name[:200] for row in rows.values()})
    known = {(p.upstream_id, p.country.code): p for p in Project.objects.select_related("country")}
    counts = dict.fromkeys(("added", "changed", "withdrawn", "returned"), 0)
    on_sale = sum(project.withdrawn_at is None for project in known.values())
    new, changed = [], []
    for key, row in rows.items():
        price_micros, search_text = micros_from_decimal(row.price), f"{row.name} {row.country_title}".lower()[:400]
        project = known.pop(key, None)
        if project is None:
            new.append(
                Project(
                    upstream_id=row.project_id,
                    country_id=country_ids[row.country_id],
                    site_id=site_ids[row.name[:200]],
                    name=row.name[:200],
                    search_text=search_text,
                    price_upstream_micros=price_micros,
                )
            )
            continue
        before = (project.name, project.price_upstream_micros, project.search_text, project.missed_syncs)
        if before == (row.name[:200], price_micros, search_text, 0) and project.withdrawn_at is None:
            continue
        counts["returned"] += project.withdrawn_at is not None
        counts["changed"] += before[:2] != (row.name[:200], price_micros)
        project.name, project.price_upstream_micros, project.search_text = row.name[:200], price_micros, search_text
        project.site_id = site_ids[project.name]
        project.missed_syncs, project.withdrawn_at = 0, None
        changed.append(project)
    missing = [project for project in known.values() if project.withdrawn_at is None]
    reject_mass_vanishing(on_sale=on_sale, missing=len(missing))
    for project in missing:
        project.missed_syncs += 1
        if project.missed_syncs >= GONE_AFTER_SYNCS:
            project.withdrawn_at = now
            counts["withdrawn"] += 1
        changed.append(project)
    counts["added"] = len(new)
    run.counts.update(counts)
    Project.objects.bulk_create(new, batch_size=1000)
    fields = ["name", "site", "price_upstream_micros", "search_text", "missed_syncs", "withdrawn_at"]
    Project.objects.bulk_update(changed, fields, batch_size=200)
    return len(new) + len(changed)
