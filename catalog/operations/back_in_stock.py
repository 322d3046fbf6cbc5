"""Telling customers that a service they wait for can be ordered again: once each, through the outbox."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from catalog.models import StockWatch
from catalog.operations.stock_alerts import due_watches, mark_told
from notifications.models import Notice
from notifications.outbox import ASKED_FOR, write_notices


def tell_watchers(*, now: datetime | None = None) -> int:
    """Write a mail for every watch whose service can be ordered again, and close the watch; return how many.

    Watch and mail are one transaction: a crash leaves both as they were, and two at once write one mail.
    """
    now, told = now or timezone.now(), 0
    for watch in due_watches():
        with transaction.atomic():
            if mark_told(watch, now=now):
                write_notices([_notice(watch, now)])
                told += 1
    return told


def _notice(watch: StockWatch, now: datetime) -> Notice:
    with translation.override(watch.user.mail_language):
        address = settings.SITE_URL + reverse("orders:place", args=[watch.service_id])
        return Notice(
            user=watch.user,
            key=f"{ASKED_FOR}stock:{watch.pk}",
            subject=_("Back in stock: %(service)s") % {"service": watch.service.title},
            body=render_to_string("catalog/mail/back_in_stock.txt", {"service": watch.service, "url": address}).strip(),
            created_at=now,
        )
