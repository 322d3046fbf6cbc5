"""Telling customers that a service they wait for can be ordered again: once each, through the outbox."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from catalog.models import StockAlert
from catalog.operations.stock_alerts import due_stock_alerts, mark_notified
from notifications.models import Notice
from notifications.outbox import ASKED_FOR, write_notices


def send_stock_alerts(*, now: datetime | None = None) -> int:
    """Write a mail for every alert whose service can be ordered again, and close the alert; return how many.

    Watch and mail are one transaction: a crash leaves both as they were, and two at once write one mail.
    """
    now, sent = now or timezone.now(), 0
    for alert in due_stock_alerts():
        with transaction.atomic():
            if mark_notified(alert, now=now):
                write_notices([_notice(alert, now)])
                sent += 1
    return sent


def _notice(alert: StockAlert, now: datetime) -> Notice:
    with translation.override(alert.user.mail_language):
        address = settings.SITE_URL + reverse("orders:place", args=[alert.service_id])
        return Notice(
            user=alert.user,
            key=f"{ASKED_FOR}stock:{alert.pk}",
            subject=_("Back in stock: %(service)s") % {"service": alert.service.title},
            body=render_to_string("catalog/mail/back_in_stock.txt", {"service": alert.service, "url": address}).strip(),
            created_at=now,
        )
