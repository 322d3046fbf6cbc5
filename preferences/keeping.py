"""How long is kept what only people who look into something need. Ledger, receipts and orders stay for ever.

Two spans are no preferences, because the database itself refuses to empty anything younger than `migrate` told it:
ORDER_EVIDENCE_KEEP_DAYS and TRAIL_ADDRESS_KEEP_DAYS (`accounts/append_only.py`).
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from preferences.numbers import Duration, Unit
from preferences.registry import Group, Others, Preference, declare

KEEPING = Group(
    _("How long things are kept"),
    120,
    "keeping",
    _("What is older is deleted within an hour or so, and no undo brings it back."),
)
LONGEST = 3650  # days


def _longer_than_changes_come(value: timedelta, _others: Others) -> None:
    """Raise ValidationError for less than the supplier may still change an order: what may change is not forgotten."""
    least = settings.LATE_CHANGE_DAYS + 1
    if value < timedelta(days=least):
        text = gettext("At least %(days)d days: the supplier may change orders for as long (LATE_CHANGE_DAYS).")
        raise ValidationError(text, params={"days": least})


def _kept(
    name: str,
    setting: str,
    title: Promise,
    default: Callable[[], timedelta],
    *,
    help: Promise | str = "",
    least: int = 1,
    agrees: Callable[[timedelta, Others], None] = lambda _value, _others: None,
) -> Preference[timedelta]:
    kind = Duration(Unit.DAYS, least, LONGEST)
    return declare(Preference(name, kind, title, KEEPING, help=help, default=default, setting=setting, agrees=agrees))


def _of_retention(name: str, setting: str, title: Promise, **more: Any) -> Preference[timedelta]:
    """Declare a span that the setting RETENTION has, under its own name there."""
    more = {"agrees": _longer_than_changes_come, "least": 8, **more}
    return _kept(f"{name}_kept", setting, title, lambda: getattr(settings.RETENTION, name), **more)


NOTICES_KEPT = _of_retention("notices", "NOTICE_KEEP_DAYS", _("Mails and notices, days"))
GOODS_LOOKS_KEPT = _of_retention(
    "goods_looks",
    "GOODS_LOOK_KEEP_DAYS",
    _("Who looked at delivered goods, days"),
    help=_("It shows whether a customer has seen what they say never came."),
)
LOOK_ADDRESSES_KEPT = _of_retention(
    "goods_look_addresses", "GOODS_LOOK_ADDRESS_KEEP_DAYS", _("From where they were looked at, days")
)
GATEWAY_EVENTS_KEPT = _of_retention(
    "gateway_events",
    "GATEWAY_EVENT_KEEP_DAYS",
    _("Reports of payment providers that changed nothing, days"),
    help=_("Those that moved money are kept for good."),
)
REFUSED_CALLBACKS_KEPT = _of_retention(
    "refused_callbacks", "REFUSED_CALLBACK_KEEP_DAYS", _("Reports that were refused as forged or unreadable, days")
)
SYNC_DETAILS_KEPT = _of_retention("sync_details", "SYNC_KEEP_DAYS", _("What each sync of the catalog changed, days"))
KEY_SPENDING_KEPT = _of_retention("key_spending", "KEY_SPENDING_KEEP_DAYS", _("What API keys spent each day, days"))
ATTACHMENTS_KEPT = _of_retention(
    "attachments",
    "ATTACHMENT_KEEP_DAYS",
    _("Files of closed questions, days"),
    agrees=lambda _value, _others: None,
)
CODES_KEPT = _kept(
    "codes_kept",
    "SMS_CONTENT_KEEP_DAYS",
    _("Codes and messages of SMS numbers, days"),
    lambda: timedelta(days=settings.SMS_CONTENT_KEEP_DAYS),
    help=_("They are secrets of the customers: keep them no longer than they are needed."),
)
WEBHOOKS_KEPT = _kept(
    "webhooks_kept",
    "WEBHOOK_KEEP_DAYS",
    _("Messages of webhooks, days"),
    lambda: timedelta(days=settings.WEBHOOK_KEEP_DAYS),
    least=2,
)
REQUEST_IDS_KEPT = _kept(
    "request_ids_kept",
    "API_REQUEST_ID_KEEP_DAYS",
    _("Request ids of the API, days"),
    lambda: timedelta(days=settings.API_REQUEST_ID_KEEP_DAYS),
    help=_("For so long a purchase that is sent again is not made twice."),
)
EXPORTS_KEPT = _kept(
    "exports_kept",
    "DATA_EXPORT_KEEP_DAYS",
    _("Files with everything about a customer, days"),
    lambda: settings.PRIVACY.exports_kept,
)
DELETION_DELAY = _kept(
    "deletion_delay",
    "ACCOUNT_DELETION_DAYS",
    _("How long a customer can take back the deletion of their account, days"),
    lambda: settings.PRIVACY.deletion_delay,
    help=_("Deletions that have been asked for keep their day."),
    least=4,  # whoever had the address changed by a thief has three days to undo that
)
