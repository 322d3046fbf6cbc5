"""`manage.py sync_catalog`: bring the local catalog to what upstream offers, now."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from django.utils import timezone

from catalog.management.progress import shown_progress
from catalog.models import SyncRun
from catalog.sync.runs import SyncAlreadyRunning
from catalog.sync.sync_catalog import sync_catalog
from catalog.words.vocabulary import learn_words
from upstream.client import default_client
from upstream.errors import UpstreamError


class Command(BaseCommand):
    help = "Fetches the upstream catalog and applies what changed. Exits 1 when nothing could be applied."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--full", action="store_true", help="ask for every subcategory, not only where it is new")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            client = default_client(timeout_seconds=settings.UPSTREAM_SYNC_TIMEOUT_SECONDS)
            with shown_progress(self.stdout, sys.stderr) as progress:
                run = sync_catalog(client=client, now=timezone.now(), in_full=options["full"], progress=progress)
        except (UpstreamError, SyncAlreadyRunning) as error:
            raise CommandError(f"The catalog was not synced: {error}") from error
        for row in run.set_aside[:10]:
            self.stderr.write(f"Set aside: service {row['service']}: {row['field']} {row['problem']}")
        if run.status in (SyncRun.Status.REJECTED, SyncRun.Status.DROPPED):
            raise CommandError(f"The catalog was not synced: {run.error}")
        if run.status == SyncRun.Status.QUARANTINED:
            page = settings.ADMIN_URL + reverse("admin:catalog_syncrun_change", args=[run.pk])
            raise CommandError(f"The catalog was not synced: {run.error} Decide at {page}")
        learn_words()
        self.stdout.write(self.style.SUCCESS(_summary(run)))


def _summary(run: SyncRun) -> str:
    assert run.finished_at is not None  # noqa: S101 - a run that ended has an end
    seconds = (run.finished_at - run.started_at).total_seconds()
    return (
        f"{run.total} services: {run.added} new, {run.changed} changed, {run.withdrawn} withdrawn, "
        f"{run.returned} back, {len(run.set_aside)} set aside; {run.requests} requests, {seconds:.1f} s."
    )
