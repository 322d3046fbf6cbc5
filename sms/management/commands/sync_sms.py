"""`manage.py sync_sms`: bring countries and projects to what upstream offers, now."""

import sys
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from catalog.management.progress import shown_progress
from catalog.models import SyncRun
from catalog.sync.runs import SyncAlreadyRunning
from sms.sync import sync_sms
from upstream.client import default_client
from upstream.errors import UpstreamError


class Command(BaseCommand):
    help = "Fetches upstream's SMS projects and applies what changed. Exits 1 when nothing could be applied."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            client = default_client(timeout_seconds=settings.UPSTREAM_SYNC_TIMEOUT_SECONDS)
            with shown_progress(self.stdout, sys.stderr) as progress:
                run = sync_sms(client=client, progress=progress)
        except (UpstreamError, SyncAlreadyRunning) as error:
            raise CommandError(f"The SMS projects were not synced: {error}") from error
        if run.status == SyncRun.Status.REJECTED:
            raise CommandError(f"The SMS projects were not synced: {run.error}")
        done = f"{run.total} SMS projects: {run.added} new, {run.changed} changed, {run.withdrawn} withdrawn."
        self.stdout.write(self.style.SUCCESS(done))
