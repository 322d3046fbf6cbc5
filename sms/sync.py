"""Copying upstream's countries and projects, with the price of a number in each."""

from collections.abc import Callable, Iterable
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
from sms.country_rows import keep_countries
from sms.formats.search_texts import fitting_text
from sms.models import Country, Project
from sms.policy import apply_words
from sms.site_rows import keep_sites
from upstream.client import Client
from upstream.money import micros_from_decimal
from upstream.protocol.wire import Rows as AnsweredRows
from upstream.protocol.wire import SetAside, SmsProject

GONE_AFTER_SYNCS = 2
Progress = Callable[[str, int, int], None]
Rows = dict[tuple[str, str, str], SmsProject]
# By project and our country: the row, and what to ask for the country with where that is not our row's code.
Placed = dict[tuple[str, int], tuple[SmsProject, str]]


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
        rows, set_aside, doubled = _checked(answers)
        besides = list(map(_named, doubled))
        besides += [_named(replace(row, service=f"countries: {row.service}")) for row in listed.set_aside]
        total = len(answers) + len(answers.set_aside)
        run.counts.update(requests=client.usage.requests - requests_before, total=total)
        run.counts["set_aside"] = besides + list(map(_named, set_aside))
        if not rows:
            raise SyncRejected("Upstream sent no SMS projects.")
        reject_many_set_aside(total=total, set_aside=len(set_aside))
        with transaction.atomic():
            places = keep_countries(countries, rows.values())
            placed = at_places(run, rows.values(), places)
            changed = _apply_projects(run, placed, {row.service for row in set_aside}, now)
            apply_words()
            close_run(run, SyncRun.Status.APPLIED if changed else SyncRun.Status.UNCHANGED)
    return run.row


def _checked(answers: AnsweredRows[SmsProject]) -> tuple[Rows, list[SetAside], list[SetAside]]:
    """Return what can be sold, each project of a country once, what was set aside and why, what came twice alike."""
    rows: Rows = {}
    doubled = []
    set_aside = list(answers.set_aside)
    for row in answers:
        key = (row.project_id, row.country_id, row.country_title)
        twin = rows.get(key)
        if row.price <= 0:
            set_aside.append(SetAside(row.project_id, "price", f"is {row.price}"))
        elif not row.country_id and not row.country_title:
            set_aside.append(SetAside(row.project_id, "country_id", "is missing, and the title, too"))
        elif twin is None:
            rows[key] = row
        elif twin == row:
            doubled.append(SetAside(row.project_id, "project_id", "is listed twice"))
        else:
            # Until upstream is clear, the dearer one counts: at the other price a number might be sold at a loss.
            rows[key] = max(twin, row, key=lambda one: one.price)
            problem = f"is listed twice, at {twin.price} and {row.price}; the dearer counts"
            set_aside.append(SetAside(row.project_id, "project_id", problem))
    return rows, set_aside, doubled


def _named(row: SetAside) -> dict[str, str]:
    return {"service": row.service, "field": row.field, "problem": row.problem}


def at_places(run: RunningSync, rows: Iterable[SmsProject], countries: dict[tuple[str, str], Country]) -> Placed:
    """Return the rows by project and country, whose code upstream may write in several ways; the dearer one counts."""
    found: Placed = {}
    for row in rows:
        country = countries[row.country_id, row.country_title]
        asked_with = "" if row.country_id == country.code else row.country_id
        twin, _code = found.setdefault((row.project_id, country.pk), (row, asked_with))
        if twin.price != row.price:
            problem = f"is listed in {twin.country_id} and {row.country_id}, at {twin.price} and {row.price}"
            aside = {"service": row.project_id, "field": "country_id", "problem": f"{problem}; the dearer counts"}
            run.counts["set_aside"].append(aside)
        if twin.price < row.price:
            found[row.project_id, country.pk] = row, asked_with
    return found


def _apply_projects(run: RunningSync, rows: Placed, set_aside: set[str], now: datetime) -> int:
    """Return how many rows were touched; what was set aside is left as it is.

    Raises SyncRejected when too many are missing.
    """
    site_ids = keep_sites(row.name for row, _code in rows.values())
    known = {(project.upstream_id, project.country_id): project for project in Project.objects.all()}
    counts = dict.fromkeys(("added", "changed", "withdrawn", "returned"), 0)
    on_sale = sum(project.withdrawn_at is None for project in known.values())
    new, changed = [], []
    for key, (row, country_code) in rows.items():
        price_micros, search_text = micros_from_decimal(row.price), fitting_text(row.name, [row.country_title])
        project = known.pop(key, None)
        if project is None:
            new.append(
                Project(
                    upstream_id=row.project_id,
                    country_id=key[1],
                    country_code=country_code,
                    site_id=site_ids[row.name],
                    name=row.name,
                    search_text=search_text,
                    price_upstream_micros=price_micros,
                )
            )
            continue
        before = (project.name, project.price_upstream_micros, project.search_text, project.country_code)
        now_is = (row.name, price_micros, search_text, country_code)
        if before == now_is and not project.missed_syncs and project.withdrawn_at is None:
            continue
        counts["returned"] += project.withdrawn_at is not None
        counts["changed"] += before[:2] != now_is[:2]
        project.name, project.price_upstream_micros, project.search_text, project.country_code = now_is
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
    fields = ["name", "site", "price_upstream_micros", "search_text", "country_code", "missed_syncs", "withdrawn_at"]
    Project.objects.bulk_update(changed, fields, batch_size=200)
    return len(new) + len(changed)
