"""Codes and messages are in the database only encrypted, and with the newest key after `rotate_keys`."""

from datetime import datetime, timedelta

import structlog
from django.utils import timezone

from accounts.encrypted_fields import reencrypt_field, seal_open_texts
from sms.models import Number

log = structlog.get_logger(__name__)
COLUMNS = ("code", "content")
# Longer than a version is beside the next one while that is put in place.
WRITTEN_LATELY = timedelta(hours=1)


def seal_codes(*, now: datetime | None = None) -> int:
    """Encrypt what a worker of the version before has just written; return how many texts.

    That one knew nothing of encrypting, and its code cannot be read before this. Older ones the migration encrypted.
    """
    now = now or timezone.now()
    # The condition of the index that finds them: what was deleted holds nothing.
    lately = Number.objects.filter(received_at__gte=now - WRITTEN_LATELY, content_wiped_at=None).order_by()
    sealed = sum(seal_open_texts(lately, column) for column in COLUMNS)
    if sealed:
        log.info("sms_codes_sealed", texts=sealed)
    return sealed


def reencrypt_codes() -> int:
    """Encrypt all codes and messages with the newest key; return how many texts. Raises CannotDecrypt."""
    numbers = Number.objects.order_by()
    for column in COLUMNS:
        seal_open_texts(numbers, column)
    return sum(reencrypt_field(numbers, column) for column in COLUMNS)
