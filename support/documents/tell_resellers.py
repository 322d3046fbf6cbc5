"""Resellers buy by program, which can't tick a box: they are mailed that the terms are other ones."""

from datetime import datetime

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import ApiKey, User
from notifications.kinds import TERMS
from notifications.models import Notice
from notifications.outbox import write_notices
from support.documents import languages
from support.models import DocumentVersion


def tell_resellers(version: DocumentVersion, *, now: datetime) -> int:
    """Mail everybody with a valid key of the API about a version of the terms; return how many. Two statements."""
    keys = ApiKey.objects.alive(now).filter(user=OuterRef("pk"))
    resellers = list(User.objects.filter(Exists(keys), is_active=True))
    write_notices([_letter(user, version, now) for user in resellers])
    return len(resellers)


def words_of_terms(version: DocumentVersion) -> tuple[str, str]:
    """Return subject and text by which an owner of a key is told of it, in the language that is active."""
    said = [
        _("We have changed our terms. They hold from now on; you can read them here:"),
        settings.SITE_URL + _page_of(version),
        languages.chosen(version.summaries)[1],
        _("Your programs go on working as they are. In the browser you are asked to accept them before you buy."),
    ]
    return _("Our terms have changed"), "\n\n".join(filter(None, said))


def _letter(user: User, version: DocumentVersion, now: datetime) -> Notice:
    with translation.override(user.mail_language):
        subject, body = words_of_terms(version)
    key, path = f"terms:{version.pk}:{user.pk}", _page_of(version)
    return Notice(user=user, key=key, kind=TERMS, url=path, subject=subject, body=body, created_at=now)


def _page_of(version: DocumentVersion) -> str:
    return reverse("documents:document", args=[version.document.slug])
