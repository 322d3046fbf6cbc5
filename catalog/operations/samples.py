"""Samples of what the catalog tells customers."""

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from catalog.models import Service, StockAlert
from catalog.operations.back_in_stock import notice_of_return
from notifications.kinds import STOCK
from notifications.samples import Sample

SERVICE = "Telegram members | Worldwide | 30 days refill"


def _back_in_stock(reader: User) -> tuple[str, str]:
    alert = StockAlert(pk=1, user=reader, service=Service(pk=1, name=SERVICE))
    notice = notice_of_return(alert, timezone.now())
    return notice.subject, notice.body


SAMPLES = [Sample("back-in-stock", STOCK, _("A service is back in stock"), _back_in_stock)]
