"""`manage.py sync_translations`: ask upstream for names in the languages of CATALOG_LANGUAGES, now."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from catalog.management.progress import shown_progress
from catalog.models import SyncRun
from catalog.sync.runs import SyncAlreadyRunning
from catalog.sync.sync_translations import sync_translations
from sms.sync_translations import sync_translations as sync_sms_translations
from upstream.client import default_client
from upstream.errors import UpstreamError


class Command(BaseCommand):
    help = "Fetches names in the languages of CATALOG_LANGUAGES; what was interrupted goes on. Exits 1 when it fails."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.CATALOG_LANGUAGES:
            raise CommandError("CATALOG_LANGUAGES is empty: there are English names alone.")
        try:
            client = default_client(timeout_seconds=settings.UPSTREAM_SYNC_TIMEOUT_SECONDS)
            with shown_progress(self.stdout, sys.stderr) as progress:
                runs = [sync_translations(client=client, now=timezone.now(), progress=progress)]
            runs.append(sync_sms_translations(client=client, now=timezone.now()))
        except (UpstreamError, SyncAlreadyRunning) as error:
            raise CommandError(f"Not all names were fetched: {error}") from error
        for run in runs:
            self.stdout.write(self.style.SUCCESS(_summary(run)))


def _summary(run: SyncRun) -> str:
    left = ", ".join(run.translations.get("left", []))
    rest = f" Still to be asked for: {left}." if left else ""
    refused = f" Refused: {run.error}." if run.error else ""
    done = f"{run.total} rows read, {run.changed} changed; {run.requests} requests."
    return f"{run.get_kind_display()}: {done}{rest}{refused}"
