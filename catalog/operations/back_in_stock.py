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
from notifications.kinds import STOCK
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
                write_notices([notice_of_return(alert, now)])
                sent += 1
    return sent


def notice_of_return(alert: StockAlert, now: datetime) -> Notice:
    """Return what the customer is told, which is not written yet."""
    with translation.override(alert.user.mail_language):
        path = reverse("orders:place", args=[alert.service_id])
        figures = {"service": alert.service, "url": settings.SITE_URL + path}
        return Notice(
            user=alert.user,
            key=f"{ASKED_FOR}stock:{alert.pk}",
            kind=STOCK,
            url=path,
            subject=_("Back in stock: %(service)s") % {"service": alert.service.title},
            body=render_to_string("catalog/mail/back_in_stock.txt", figures).strip(),
            created_at=now,
        )
