"""Asking for names of websites, apps and countries in other languages: two requests for each language.

As with the names of services, nothing English is written and nothing is taken off sale.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.db import transaction

from catalog.models import SyncRun
from catalog.sync.runs import RunningSync, close_run, recorded_run
from catalog.sync.translation_rounds import Round, keep_place, open_round, steps
from catalog.sync.translations import translation_of, with_translation
from sms.formats.countries import with_capitals
from sms.models import Country, Project, Site
from sms.policy import apply_words
from upstream.client import Client
from upstream.errors import InvalidApiKey, Refused
from upstream.protocol.wire import SmsCountry, SmsProject
from upstream.reading.text import comparable

LONGEST = {Site: 200, Country: 100}  # the columns of the English names


def sync_translations(*, client: Client, now: datetime) -> SyncRun:
    """Ask for names in the languages of CATALOG_LANGUAGES, one after the other, and write each at once; return the run.

    An interrupted round goes on with the language where it was; one that upstream refuses is named in the run.
    Raises catalog.sync.runs.SyncAlreadyRunning, UpstreamError; what was written until then stays.
    """
    with recorded_run(SyncRun.Kind.SMS_TRANSLATIONS, now=now) as run:
        current, spent_before = open_round(run), client.usage.requests
        run.counts |= {"total": 0, "changed": 0}
        for _step in steps(run, current):
            code = current.left[0]
            try:
                answers = client.sms_projects(lang=code), client.sms_countries(lang=code)
            except Refused as refusal:
                if isinstance(refusal, InvalidApiKey):
                    raise
                current.refused[code] = refusal.text
                answers = None
            run.counts["requests"] = client.usage.requests - spent_before
            _record(run, current, code, answers)
        refused = "; ".join(f"{code}: {text}" for code, text in current.refused.items())
        changed = run.counts["changed"]
        close_run(run, SyncRun.Status.APPLIED if changed else SyncRun.Status.UNCHANGED, error=refused)
    return run.row


def _record(
    run: RunningSync, current: Round, code: str, answers: tuple[list[SmsProject], list[SmsCountry]] | None
) -> None:
    """Write what one language brought, and that the next one follows."""
    with transaction.atomic():
        if answers is not None:
            projects, countries = answers
            names = _names(code, projects, countries)
            run.counts["total"] += len(projects)
            run.counts["changed"] += sum(_write(model, code, found) for model, found in names.items())
            apply_words()
        current.missing[code] = _missing(code)
        current.next_language()
        keep_place(run, current)


def _names(
    code: str, rows: Iterable[SmsProject], listed: Iterable[SmsCountry]
) -> dict[type[Site | Country], dict[int, str]]:
    """Return what websites and countries are called by their ids: as most rows of their projects say."""
    projects: dict[str, list[Project]] = {}
    for project in Project.objects.select_related("country"):
        projects.setdefault(project.upstream_id, []).append(project)
    sites: dict[int, Counter[str]] = {}
    countries: dict[int, Counter[str]] = {}
    for row in rows:
        known = projects.get(row.project_id, [])
        here = [project for project in known if project.country_upstream == row.country_id]
        # One id alone says which it is, however upstream writes the country.
        for project in here or (known if len(known) == 1 else []):
            sites.setdefault(project.site_id, Counter())[row.name] += 1
            if row.country_title:
                countries.setdefault(project.country_id, Counter())[row.country_title] += 1
    # The list of countries may spell with capitals what projects write without.
    spelt = {comparable(row.country_name): row.country_name for row in listed}
    usual = {pk: counted.most_common(1)[0][0] for pk, counted in countries.items()}
    return {
        Site: {pk: counted.most_common(1)[0][0] for pk, counted in sites.items()},
        Country: {pk: with_capitals(spelt.get(comparable(name), name), code) for pk, name in usual.items()},
    }


def _write(model: Any, code: str, names: dict[int, str]) -> int:
    """Write the names that differ, with what the rows are found by; return how many rows that were."""
    changed = []
    for row in model.objects.filter(pk__in=names):
        name = translation_of(names[row.pk], row.name, longest=LONGEST[model])
        if name != row.translated_names.get(code, ""):
            row.translated_names = with_translation(row.translated_names, code, name)
            row.search_text = row.found_by()
            changed.append(row)
    model.objects.bulk_update(changed, ["translated_names", "search_text"], batch_size=200)
    return len(changed)


def _missing(code: str) -> dict[str, int]:
    """Return how many of what is on sale have no name in the language."""
    on_sale = Project.objects.on_sale()
    return {
        name: model.objects.filter(pk__in=on_sale.values(column)).exclude(translated_names__has_key=code).count()
        for name, model, column in (("sites", Site, "site"), ("countries", Country, "country"))
    }
