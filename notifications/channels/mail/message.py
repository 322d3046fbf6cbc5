"""A mail about one piece of news or many: its subject, its text, its page, and how to get no more like it."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext, ngettext

from accounts.models import User
from notifications.channels.mail.design import mail_page, parts_of
from notifications.kinds import ASKED_FOR, to_turn_off
from notifications.models import Notice
from notifications.unsubscribing import unsubscribe_url
from preferences.face import STORE_NAME, SUPPORT_EMAIL

# More news than this in one mail are a digest, which has their subjects: nobody reads a hundred mails in one.
IN_FULL = 30
# Mail programs cut off what is longer than about 100 KB; so many lines stay well below that, whatever they say.
LISTED = 400


def message_about(user: User | None, notices: Sequence[Notice]) -> EmailMultiAlternatives:
    """Return the mail that tells a customer, or with None the admins, of these; it has no connection yet."""
    with translation.override(settings.LANGUAGE_CODE if user is None else user.mail_language):
        subject = _subject(notices)
        context = _told(notices) | (_for_admins() if user is None else _for_customer(user, notices))
        message = EmailMultiAlternatives(
            subject=gettext("%(store)s: %(subject)s") % {"store": STORE_NAME.value, "subject": subject},
            body=render_to_string(f"notifications/mail/{context['reader']}.txt", context),
            to=[address for _name, address in settings.ADMINS] if user is None else [user.email],
            headers={"Auto-Submitted": "auto-generated", **_list_headers(user, notices)},
        )
        message.attach_alternative(mail_page(subject, "notifications/mail/notices.html", context), "text/html")
    return message


def _subject(notices: Sequence[Notice]) -> str:
    if len(notices) == 1:
        return notices[0].subject
    return ngettext("%(count)s update", "%(count)s updates", len(notices)) % {"count": len(notices)}


def _told(notices: Sequence[Notice]) -> dict[str, Any]:
    full, listed = _told_in_full(notices)
    several = len(notices) > 1
    return {
        "notices": full,
        "articles": [{"title": one.subject if several else "", "parts": parts_of(one.body)} for one in full],
        "listed": listed[:LISTED],
        "more": max(len(listed) - LISTED, 0),
        "several": several,
        "store_name": STORE_NAME.value,
        "support_email": SUPPORT_EMAIL.value,
    }


def _told_in_full(notices: Sequence[Notice]) -> tuple[list[Notice], list[Notice]]:
    """Return the notices a mail tells in full, and those of which it only has the subject.

    What somebody asked for one by one comes in full first: a subject says too little of a price or a stock.
    """
    if len(notices) <= IN_FULL:
        return list(notices), []
    full = [notice for notice in notices if notice.key.startswith(ASKED_FOR)][:IN_FULL]
    chosen = {notice.pk for notice in full}
    return full, [notice for notice in notices if notice.pk not in chosen]


def _for_admins() -> dict[str, Any]:
    return {
        "reader": "to_admins",
        "list_url": settings.ADMIN_URL + reverse("admin:notifications_notice_changelist"),
        "admin_url": settings.ADMIN_URL + reverse("admin:index"),
    }


def _for_customer(user: User, notices: Sequence[Notice]) -> dict[str, Any]:
    return {
        "reader": "to_customer",
        "list_url": settings.SITE_URL + reverse("orders:list"),
        "choices_url": settings.SITE_URL + reverse("notices:choices"),
        "ways_out": [
            {"kind": kind.title, "url": unsubscribe_url(user, [kind.name])}
            for kind in to_turn_off(notice.kind for notice in notices)
        ],
    }


def _list_headers(user: User | None, notices: Sequence[Notice]) -> dict[str, str]:
    """Return the headers by which a mail program turns off what the mail is about: RFC 2369 and RFC 8058.

    One press is for an address nobody can read along (RFC 8058, 3.1): a shop without TLS offers the address alone.
    """
    address = unsubscribe_url(user, [notice.kind for notice in notices]) if user is not None else ""
    if not address:
        return {}
    by_one_press = {"List-Unsubscribe-Post": "List-Unsubscribe=One-Click"} if address.startswith("https://") else {}
    return {"List-Unsubscribe": f"<{address}>", **by_one_press}
