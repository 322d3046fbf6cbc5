"""Contract drift: what upstream says and its document does not have. Counted, told once, settled when mapped."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.conf import settings
from django.db.models import F
from django.urls import reverse
from django.utils.translation import gettext as _

from catalog.models import MappedType
from catalog.models.service_types import compared_type
from notifications.outbox import tell_admins
from orders.lifecycle.supply import Report, supply_of
from orders.models import ContractDrift, KnownRefusal, Order, StatusWord
from upstream.errors import plain_text
from upstream.reading.text import comparable, shortened

log = structlog.get_logger(__name__)
Subject = ContractDrift.Subject
LONGEST_TEXT = 300
GONE_FOR = timedelta(days=1)


def note_drift(
    subject: str, text: str, sample: dict[str, Any], *, times: int = 1, lasting: bool = False, now: datetime
) -> None:
    """Count what upstream said, and tell the admins the first time, or the first time after it was settled.

    `sample` says where it was seen (kind, order); never with anything a customer owns. What is `lasting` is seen again
    by every sync: nobody is mailed about it, and once settled it is open again only after it had gone for a day.
    Joins the caller's transaction.
    """
    text = shortened(text, LONGEST_TEXT)
    fields = {"sample": sample, "times": times, "first_seen_at": now, "last_seen_at": now}
    drift, created = ContractDrift.objects.get_or_create(subject=subject, text=text, defaults=fields)
    if created:
        if not lasting:
            _tell(drift, now)
        return
    again = ContractDrift.objects.filter(pk=drift.pk)
    again.update(times=F("times") + times, last_seen_at=now, sample=sample)
    if lasting and drift.last_seen_at > now - GONE_FOR:
        return
    # Who read the mapping a moment before it was made must not open it again.
    if (
        drift.settled_at
        and not _is_mapped(drift, sample)
        and again.filter(settled_at=drift.settled_at).update(settled_at=None)
        and not lasting
    ):
        _tell(drift, now)


def settle_drift(subject: str, text: str, *, now: datetime) -> int:
    """Mark what upstream said as mapped or seen to, in every spelling; return how many were open."""
    still_open = ContractDrift.objects.filter(subject=subject, settled_at=None)
    spelled = {shortened(text, LONGEST_TEXT)}
    same = {Subject.STATUS_WORD: plain, Subject.ERROR_TEXT: plain_text}.get(Subject(subject))
    if same is not None:
        spelled = {other for other in still_open.values_list("text", flat=True) if same(other) == same(text)}
    return still_open.filter(text__in=spelled).update(settled_at=now)


def plain(word: str) -> str:
    """Return a status word as mappings know it: without capitals, outer blanks and underscores."""
    return comparable(word.replace("_", " "))[:100]


def mapped_words(kind: str) -> dict[str, str]:
    """Return the words of this kind that the admin has mapped, as `plain`, with their statuses."""
    return {plain(word): status for word, status in StatusWord.objects.filter(kind=kind).values_list("word", "status")}


def with_mapped_words(answers: Sequence[tuple[Order, Report]]) -> list[tuple[Order, Report]]:
    """Return the answers with the statuses filled in that only the admin's mapping knows; no query if all are known."""
    strange = {order.kind for order, report in answers if report.status is None}
    mapped = {kind: mapped_words(kind) for kind in strange}
    read = []
    for order, report in answers:
        status = mapped[order.kind].get(plain(report.word)) if report.status is None else None
        read.append((order, supply_of(order).with_status(report, status) if status else report))
    return read


def _is_mapped(drift: ContractDrift, sample: dict[str, Any]) -> bool:
    if drift.subject == Subject.ERROR_TEXT:
        return KnownRefusal.objects.filter(plain_text=plain_text(drift.text)).exists()
    if drift.subject == Subject.STATUS_WORD:
        return plain(drift.text) in mapped_words(str(sample.get("kind", "")))
    if drift.subject == Subject.SERVICE_TYPE:
        return MappedType.objects.filter(type=compared_type(str(sample.get("type", "")))).exists()
    return False


def _tell(drift: ContractDrift, now: datetime) -> None:
    """One mail an episode: a drift that comes back after it was settled is a new one."""
    page = settings.ADMIN_URL + reverse("admin:orders_contractdrift_change", args=[drift.pk])
    what = {
        Subject.STATUS_WORD: _("Upstream uses a status that we don't know. Orders with it stay as they are."),
        Subject.ERROR_TEXT: _(
            "Upstream refused a purchase with a text we don't know. The order waits and is not sent again."
        ),
        Subject.ASSUMPTION: _(
            "An assumption that reconciliation relied on turned out to be wrong; it is no longer relied on."
        ),
        Subject.UNREADABLE: _("Upstream answered with something that can't be read. Nothing was changed."),
    }[Subject(drift.subject)]
    episode = drift.settled_at.isoformat() if drift.settled_at else "first"
    log.warning("contract_drift", subject=drift.subject, text=drift.text)
    tell_admins(
        f"drift:{drift.pk}:{episode}",
        _("Contract drift: %(text)s") % {"text": drift.text},
        f"{what}\n\n{drift.text}\n\n{page}",
        now,
    )
