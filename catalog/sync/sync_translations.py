"""A sync of its own for names in other languages: slower than the others, a page at a time, written as it is read.

It writes translated names and what follows from them, never an English name, and takes nothing off sale. So nothing has
to be whole: what moved from one page to another meanwhile, or is new, the next round finds.
"""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from catalog.models import Category, Subcategory, SyncRun
from catalog.pricing.repricing import lock_prices
from catalog.sync import tables, translation_tables
from catalog.sync.fetch import LONGEST, Progress
from catalog.sync.names import Names
from catalog.sync.runs import RunningSync, close_run, recorded_run
from catalog.sync.translation_rounds import Round, keep_place, open_round, steps
from catalog.sync.translation_tables import NamedService
from catalog.sync.translations import (
    count_name,
    subcategory_names,
    translation_of,
    usual_names,
    with_translation,
)
from catalog.titles.reading import title_reader
from upstream.client import Client
from upstream.errors import InvalidApiKey, Refused
from upstream.protocol.wire import CategoryRow, ServicePage

PAGE_ROWS = 500


def sync_translations(*, client: Client, now: datetime, progress: Progress | None = None) -> SyncRun:
    """Ask for the names of services and their places in the languages of CATALOG_LANGUAGES; return the run.

    An interrupted round goes on where it was. A language that upstream refuses is named in the run and passed over
    until the next round. `progress(language, pages done, pages)` hears of every page.
    Raises SyncAlreadyRunning, UpstreamError; what was written until then stays.
    """
    with recorded_run(SyncRun.Kind.TRANSLATIONS, now=now) as run:
        _Asker(client, run, progress or (lambda _language, _done, _pages: None)).go_on()
    return run.row


class _Asker:
    """One run of a round."""

    def __init__(self, client: Client, run: RunningSync, progress: Progress) -> None:
        self.client = client
        self.run = run
        self.progress = progress
        self.round: Round = open_round(run)
        self.spent_before = client.usage
        run.counts |= {"total": 0, "changed": 0}

    def go_on(self) -> None:
        """Ask until the round is over or the run has lasted long enough, and close the run."""
        for _step in steps(self.run, self.round):
            code = self.round.left[0]
            try:
                over = self._one_step(code)
            except Refused as refusal:
                if isinstance(refusal, InvalidApiKey):
                    raise
                self.round.refused[code] = refusal.text
                over = True
            if over:
                self.round.missing[code] = translation_tables.untranslated(code)
                self.round.next_language()
                with transaction.atomic():
                    self._keep_place()
        changed = self.run.counts["changed"]
        refused = "; ".join(f"{code}: {text}" for code, text in self.round.refused.items())
        close_run(self.run, SyncRun.Status.APPLIED if changed else SyncRun.Status.UNCHANGED, error=refused)

    def _one_step(self, code: str) -> bool:
        """Read and write one page of services, or after the last one the categories; return whether that was all."""
        number = self.round.notes.get("page", 1)
        if number is None:
            self._categories(code)
            return True
        limit = self.round.notes.get("limit", PAGE_ROWS)
        page = self.client.services(page=number, limit=limit, lang=code)
        with transaction.atomic():
            # What a sync takes before it reads and writes services: neither overwrites what the other has just written.
            lock_prices()
            self._write_page(code, page)
            # The same page again comes from a server that knows no pages.
            first = page.services[0].service if page.services else None
            is_last = number >= page.total_pages or first in (None, self.round.notes.get("first"))
            self.round.notes |= {"page": None if is_last else number + 1, "limit": limit, "first": first}
            self.run.counts["total"] += len(page.services)
            self._keep_place()
        self.progress(code, number, max(page.total_pages, number))
        return False

    def _write_page(self, code: str, page: ServicePage) -> None:
        answers = {row.service: row for row in page.services}
        tally = self.round.notes.setdefault("categories", {})
        names = tables.names()
        titles = title_reader()
        changed = []
        for service in translation_tables.services_by_upstream_id(answers):
            answer = answers[service.upstream_id]
            count_name(tally, service.upstream_category_id or service.category_id, answer.category)
            name = translation_of(answer.name, service.name, longest=LONGEST["name"])
            if name != service.translated_names.get(code, ""):
                service = service._replace(translated_names=with_translation(service.translated_names, code, name))
                short = titles.columns(service.name, service.translated_names).short_titles
                changed.append(service._replace(search_text=service.found_by(names), short_titles=short))
        self.run.counts["changed"] += translation_tables.write_services(changed)

    def _categories(self, code: str) -> None:
        """Name the categories as most of their services do, and the subcategories where that can be proved."""
        english, translated = self.client.categories(), self.client.categories(lang=code)
        with transaction.atomic():
            lock_prices()
            names = tables.names()
            english_names = names.category_names
            usual = {
                pk: name
                for pk, name in usual_names(self.round.notes.get("categories", {})).items()
                if pk in english_names
            }
            chosen = {
                pk: translation_of(name, english_names[pk], longest=LONGEST["category"]) for pk, name in usual.items()
            }
            found = subcategory_names(
                _as_known(english, names), translated, {english_names[pk]: name for pk, name in usual.items()}
            )
            proved = {pk: found.get(pair, "") for pk, pair in names.pairs.items()}
            self.run.counts["changed"] += self._write_places(code, chosen, proved)
            self._keep_place()

    def _write_places(self, code: str, categories: dict[int, str], subcategories: dict[int, str]) -> int:
        """Write these names and make services findable by them; return how many rows changed."""
        changed = translation_tables.write_names(Category, code, categories)
        named = translation_tables.write_names(Subcategory, code, subcategories)
        parents = Subcategory.objects.filter(pk__in=named).values_list("category_id", flat=True).distinct()
        stale = _stale(translation_tables.services_of({*changed, *parents}), tables.names())
        return len(changed) + len(named) + translation_tables.write_services(stale)

    def _keep_place(self) -> None:
        spent, before = self.client.usage, self.spent_before
        self.run.counts |= {"requests": spent.requests - before.requests, "bytes": spent.bytes - before.bytes}
        keep_place(self.run, self.round)


def _stale(services: Iterable[NamedService], names: Names) -> Iterable[NamedService]:
    """Yield the services that are not found by what they should be, with what they should be found by."""
    for service in services:
        text = service.found_by(names)
        if text != service.search_text:
            yield service._replace(search_text=text)


def _as_known(rows: Iterable[CategoryRow], names: Names) -> list[CategoryRow]:
    """Return the categories under the names that the shop has for upstream's spellings of them."""
    book = names.book()
    return [
        CategoryRow(category, [book.subcategory(category, name) for name in row.subcategories])
        for row in rows
        for category in [book.category(row.category)]
    ]
