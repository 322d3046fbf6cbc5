"""Copying upstream's countries and projects, with the price of a number in each."""

from collections.abc import Callable
from datetime import datetime

from django.db import transaction
from django.utils import timezone
from msgspec.structs import replace

from catalog.models import SyncRun
from catalog.sync.runs import (
    RunningSync,
    SyncRejected,
    close_run,
    recorded_run,
    reject_many_set_aside,
    reject_mass_vanishing,
)
from sms.formats.countries import dial_code_of
from sms.models import Country, Project, Site
from sms.policy import apply_words
from upstream.client import Client
from upstream.money import micros_from_decimal
from upstream.protocol.wire import Rows as AnsweredRows
from upstream.protocol.wire import SetAside, SmsProject

GONE_AFTER_SYNCS = 2
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
        listed = client.sms_countries()
        countries = {row.country_code: row.country_name for row in listed}
        tell("countries and projects", 1, 2)
        answers = client.sms_projects()
        tell("countries and projects", 2, 2)
        rows, set_aside = _checked(answers)
        besides = [_named(replace(row, service=f"countries: {row.service}")) for row in listed.set_aside]
        total = len(answers) + len(answers.set_aside)
        run.counts.update(requests=client.usage.requests - requests_before, total=total)
        run.counts["set_aside"] = besides + list(map(_named, set_aside))
        if not rows:
            raise SyncRejected("Upstream sent no SMS projects.")
        reject_many_set_aside(total=total, set_aside=len(set_aside))
        with transaction.atomic():
            _apply_countries(countries, rows)
            changed = _apply_projects(run, rows, {row.service for row in set_aside}, now)
            apply_words()
            close_run(run, SyncRun.Status.APPLIED if changed else SyncRun.Status.UNCHANGED)
    return run.row


def _checked(answers: AnsweredRows[SmsProject]) -> tuple[Rows, list[SetAside]]:
    """Return what can be sold, each project of a country once, and what was set aside and why."""
    rows: Rows = {}
    set_aside = list(answers.set_aside)
    for row in answers:
        key = (row.project_id, row.country_id)
        twin = rows.get(key)
        if row.price <= 0:
            set_aside.append(SetAside(row.project_id, "price", f"is {row.price}"))
        elif twin is None:
            rows[key] = row
        else:
            # Until upstream is clear, the dearer one counts: at the other price a number might be sold at a loss.
            rows[key] = max(twin, row, key=lambda one: one.price)
            problem = f"is listed twice, at {twin.price} and {row.price}; the dearer counts"
            set_aside.append(SetAside(row.project_id, "project_id", problem))
    return rows, set_aside


def _named(row: SetAside) -> dict[str, str]:
    return {"service": row.service, "field": row.field, "problem": row.problem}


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
    country.search_text = country.found_by()
    return country


def _country_name(name: str) -> str:
    # Some answers carry the title in lower case.
    return name.title() if name.islower() else name


def _sites(names: set[str]) -> dict[str, int]:
    """Return the id of the website or app of each name, new ones added; what all are found by is kept right."""
    known = {site.name: site for site in Site.objects.all()}
    Site.objects.bulk_create(Site(name=name, search_text=name.lower()) for name in sorted(names - known.keys()))
    stale = [site for site in known.values() if site.search_text != site.found_by()]
    for site in stale:
        site.search_text = site.found_by()
    Site.objects.bulk_update(stale, ["search_text"], batch_size=200)
    return dict(Site.objects.values_list("name", "pk"))


def _apply_projects(run: RunningSync, rows: Rows, set_aside: set[str], now: datetime) -> int:
    """Return how many rows were touched; what was set aside is left as it is.

    Raises SyncRejected when too many are missing.
    """
    country_ids = dict(Country.objects.values_list("code", "pk"))
    site_ids = _sites({row.name for row in rows.values()})
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
                    site_id=site_ids[row.name],
                    name=row.name,
                    search_text=search_text,
                    price_upstream_micros=price_micros,
                )
            )
            continue
        before = (project.name, project.price_upstream_micros, project.search_text, project.missed_syncs)
        if before == (row.name, price_micros, search_text, 0) and project.withdrawn_at is None:
            continue
        counts["returned"] += project.withdrawn_at is not None
        counts["changed"] += before[:2] != (row.name, price_micros)
        project.name, project.price_upstream_micros, project.search_text = row.name, price_micros, search_text
        project.site_id = site_ids[project.name]
        project.missed_syncs, project.withdrawn_at = 0, None
        changed.append(project)
    missing = [
        project for project in known.values() if project.withdrawn_at is None and project.upstream_id not in set_aside
    ]
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
