"""Words in braces that stand for what the shop knows: its name, and the figures it works with.

So a text is true of whatever the owner sets, and no figure is written twice.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils.formats import number_format

from accounts.security.retention import CHANGES_KEPT
from accounts.security.wrong_tries import REMEMBERED
from accounts.sign_up.referrals import REMEMBERED_FOR
from accounts.templatetags.money import money
from catalog.preferences import MEASURED_DAYS, MEASURED_LEAST
from orders.preferences import MARGIN_HELD, PRICE_HELD, PRICE_HELD_LOSS
from preferences.face import OTHER_CONTACT, STORE_NAME, SUPPORT_EMAIL
from preferences.keeping import (
    ATTACHMENTS_KEPT,
    CODES_KEPT,
    DELETION_DELAY,
    EXPORTS_KEPT,
    GATEWAY_EVENTS_KEPT,
    GOODS_LOOKS_KEPT,
    LOOK_ADDRESSES_KEPT,
    NOTICES_KEPT,
    REQUEST_IDS_KEPT,
    WEBHOOKS_KEPT,
)
from sms.preferences import REPLACED_AFTER

_WORD = re.compile(r"\{([a-z_]+)\}")


def _number(value: float) -> str:
    return number_format(value, use_l10n=True)


def _minutes(seconds: float) -> str:
    return _number(max(round(seconds / 60), 1))


def _page(name: str, *arguments: str) -> Callable[[], str]:
    return lambda: reverse(name, args=arguments)


WORDS: Mapping[str, Callable[[], str]] = {
    "store": lambda: STORE_NAME.value,
    "email": lambda: SUPPORT_EMAIL.value,
    "other_contact": lambda: str(OTHER_CONTACT.value),
    "currency": lambda: settings.STORE_CURRENCY,
    # Figures, each as the setting beside it says.
    "price_lock_minutes": lambda: _minutes(PRICE_HELD.value.total_seconds()),
    "price_lock_loss": lambda: money(PRICE_HELD_LOSS.value),
    "late_change_days": lambda: _number(settings.LATE_CHANGE_DAYS),
    "held_hours": lambda: _number(MARGIN_HELD.value // timedelta(hours=1)),
    "settle_minutes": lambda: _minutes(settings.SETTLE_SECONDS),
    "number_minutes": lambda: _minutes(settings.SMS_LIFETIME_SECONDS),
    "replace_minutes": lambda: _minutes(REPLACED_AFTER.value.total_seconds()),
    "code_days": lambda: _number(CODES_KEPT.value.days),
    "quality_days": lambda: _number(MEASURED_DAYS.value.days),
    "quality_orders": lambda: _number(MEASURED_LEAST.value),
    "deletion_days": lambda: _number(DELETION_DELAY.value.days),
    "export_days": lambda: _number(EXPORTS_KEPT.value.days),
    "request_id_days": lambda: _number(REQUEST_IDS_KEPT.value.days),
    "webhook_days": lambda: _number(WEBHOOKS_KEPT.value.days),
    "mail_days": lambda: _number(NOTICES_KEPT.value.days),
    "evidence_days": lambda: _number(settings.RETENTION.order_evidence.days),
    "look_days": lambda: _number(GOODS_LOOKS_KEPT.value.days),
    "look_address_days": lambda: _number(LOOK_ADDRESSES_KEPT.value.days),
    "acceptance_address_days": lambda: _number(settings.RETENTION.trail_origins.days),
    "network_days": lambda: _number(REMEMBERED.days),
    "email_change_days": lambda: _number(CHANGES_KEPT.days),
    "referral_days": lambda: _number(REMEMBERED_FOR.days),
    "payment_event_days": lambda: _number(GATEWAY_EVENTS_KEPT.value.days),
    "attachment_days": lambda: _number(ATTACHMENTS_KEPT.value.days),
    # Pages.
    "sign_up_page": _page("account_signup"),
    "services_page": _page("catalog:index"),
    "numbers_page": _page("sms:home"),
    "orders_page": _page("orders:list"),
    "wallet_page": _page("wallet:home"),
    "receipts_page": _page("wallet:receipts"),
    "top_up_page": _page("wallet:add"),
    "account_page": _page("account"),
    "privacy_page": _page("privacy:home"),
    "security_page": _page("account_security"),
    "api_page": _page("api:docs"),
    "changes_page": _page("changes"),
    "help_page": _page("support:help"),
    "ask_page": _page("support:new"),
    "status_page": _page("support:status"),
    "notices_page": _page("notices:choices"),
    "faq_page": _page("documents:document", "faq"),
    "terms_page": _page("documents:document", "terms"),
    "refunds_page": _page("documents:document", "refunds"),
    "privacy_text": _page("documents:document", "privacy"),
    "use_page": _page("documents:document", "acceptable-use"),
    "contact_page": _page("documents:document", "contact"),
}
# A name of the shop must not become markup; figures and addresses hold nothing that could.
_MARKUP = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>&~:/])")
_TYPED = {"store", "email", "other_contact"}


def filled(text: str) -> str:
    """Return Markdown with every word in braces replaced; one that nobody knows stays as it is."""
    return _WORD.sub(lambda found: _value(found[1], found[0]), text)


def filled_plain(text: str) -> str:
    """Return a title, which is no Markdown, likewise."""
    return _WORD.sub(lambda found: WORDS[found[1]]() if found[1] in WORDS else found[0], text)


def unknown(text: str) -> list[str]:
    """Return the words in braces that nobody knows, as they are written."""
    return list(dict.fromkeys(found[0] for found in _WORD.finditer(text) if found[1] not in WORDS))


def _value(name: str, as_written: str) -> str:
    if name not in WORDS:
        return as_written
    value = WORDS[name]()
    if name == "email":
        return f"<{value}>"  # a link, in Markdown
    return _MARKUP.sub(r"\\\1", value) if name in _TYPED else value
