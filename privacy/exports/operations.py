"""Asking for an export, and preparing those that were asked for.

The row is the queue. Whoever writes one claims it, and says after every batch how far it is; of one whose worker is no
longer heard of, the next sweep removes what there is and begins again.
"""

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.security.notices import addresses_to_tell
from notifications.letters import write_letter
from notifications.wake_worker import wake_worker
from preferences.face import STORE_NAME
from preferences.keeping import EXPORTS_KEPT
from privacy.exports.files import make_folder, new_name, part_of, path_of, remove
from privacy.exports.writing import count_rows, write_export
from privacy.models import DataExport

log = structlog.get_logger(__name__)
State = DataExport.State

ONE_PER = timedelta(days=1)
# Longer than any batch takes.
CLAIM = timedelta(minutes=3)
MAX_TRIES = 5
Clock = Callable[[], datetime]


class ExportUnderWay(Exception):
    """One is being prepared already."""


class TooSoon(Exception):
    """There was one within the last day; `free_at` says when the next one may be asked for."""

    def __init__(self, free_at: datetime) -> None:
        self.free_at = free_at
        super().__init__(free_at)


class ClaimLost(Exception):
    """Another worker has the export by now, or it is gone with its account."""


def request_export(user: User, *, now: datetime) -> DataExport:
    """Ask for a file with everything about the customer. Raises ExportUnderWay, TooSoon; nothing was asked for then."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # two at once would each see none
        if DataExport.objects.unfinished().filter(user=user).exists():
            raise ExportUnderWay
        free_at = next_export_at(user, now=now)
        if free_at is not None:
            raise TooSoon(free_at)
        export = DataExport.objects.create(user=user, requested_at=now)
        wake_worker("privacy.tasks.prepare_exports")
    return export


def next_export_at(user: User, *, now: datetime) -> datetime | None:
    """Return when the customer may ask for another one; None for now. One that failed does not count."""
    lately = DataExport.objects.filter(user=user, requested_at__gt=now - ONE_PER).exclude(state=State.FAILED)
    last = lately.order_by("-requested_at").first()
    return None if last is None else last.requested_at + ONE_PER


def prepare_exports(*, clock: Clock) -> int:
    """Write the exports that wait, one after the other; return how many are ready. One that fails stops no other."""
    ready = 0
    for export in DataExport.objects.to_prepare(clock()).select_related("user"):
        try:
            ready += _prepare(export, clock)
        except ClaimLost:
            log.info("export_claim_lost", export_id=export.pk)
        except Exception:  # it stays claimed for a while: the sweep tries again then
            log.exception("export_failed", export_id=export.pk, tries=export.tries + 1)
    return ready


def _prepare(export: DataExport, clock: Clock) -> bool:
    if not _claim(export, clock()):
        return False
    part = part_of(export.file_name)
    make_folder()
    try:
        write_export(export.user, part, now=export.requested_at, told=lambda rows: _tell(export, rows, clock()))
        size = part.stat().st_size
        part.replace(path_of(export.file_name))
        with transaction.atomic():
            _finish(export, size, clock())
    except BaseException:
        remove(export.file_name)
        raise
    return True


def _claim(export: DataExport, now: datetime) -> bool:
    """Take the export, and away what an earlier try has left; whoever comes second gets nothing."""
    as_read = DataExport.objects.filter(pk=export.pk, state=export.state, claim_token=export.claim_token)
    if export.tries >= MAX_TRIES:
        remove(export.file_name)
        as_read.update(state=State.FAILED, file_name="", claim_token=None, claimed_until=None)
        log.error("export_given_up", export_id=export.pk)
        return False
    token, name, left_over = uuid.uuid4(), new_name(), export.file_name
    total = count_rows(export.user)
    claimed = as_read.update(
        state=State.RUNNING,
        claim_token=token,
        claimed_until=now + CLAIM,
        tries=F("tries") + 1,
        rows_total=total,
        rows_done=0,
        file_name=name,
    )
    if not claimed:
        return False
    remove(left_over)
    export.claim_token, export.file_name = token, name
    return True


def _tell(export: DataExport, rows: int, now: datetime) -> None:
    """Say that this worker is alive and how far it is. Raises ClaimLost."""
    mine = DataExport.objects.filter(pk=export.pk, state=State.RUNNING, claim_token=export.claim_token)
    if not mine.update(rows_done=F("rows_done") + rows, claimed_until=now + CLAIM):
        raise ClaimLost(export.pk)


def _finish(export: DataExport, size: int, now: datetime) -> None:
    mine = DataExport.objects.filter(pk=export.pk, state=State.RUNNING, claim_token=export.claim_token)
    done = {"state": State.READY, "ready_at": now, "file_bytes": size, "claim_token": None, "claimed_until": None}
    if not mine.update(**done):
        raise ClaimLost(export.pk)
    with translation.override(export.user.mail_language):
        body = body_when_ready()
        for address in addresses_to_tell(export.user, now=now):
            write_letter(address=address, subject=_("Your data is ready to download"), body=body, now=now)


def body_when_ready() -> str:
    """Return the text that says a file is ready, in the language that is active."""
    words = {
        "url": settings.SITE_URL + reverse("privacy:home"),
        "days": EXPORTS_KEPT.value.days,
        "store_name": STORE_NAME.value,
    }
    return render_to_string("privacy/mail/export_ready.txt", words).strip()
