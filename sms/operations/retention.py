"""Codes and messages are the customer's secrets: they are kept for a while and then deleted."""

from datetime import datetime

import structlog
from django.db.models import Q
from django.utils import timezone

from accounts.batches import batches
from preferences.keeping import CODES_KEPT
from sms.models import Number

log = structlog.get_logger(__name__)


def wipe_contents(*, now: datetime | None = None) -> int:
    """Delete the codes and messages that came longer ago than codes are kept; return of how many numbers.

    A message may also come to a number that ends without its code: that one's age counts then. The number itself, what
    it was for and what it cost stay in the history. Safe to repeat, and beside itself.
    """
    now = now or timezone.now()
    before = now - CODES_KEPT.value
    without_code = Q(received_at=None, created_at__lt=before) & ~Q(code="", content="")
    old = Number.objects.filter(Q(received_at__lt=before) | without_code, content_wiped_at=None)
    wiped = 0
    for ids in batches(old.order_by("received_at")):
        wiped += old.filter(pk__in=ids).update(code="", content="", content_wiped_at=now)
    if wiped:
        log.info("sms_contents_wiped", numbers=wiped)
    return wiped
