"""Resellers buy by program, which can't tick a box: they are mailed that the terms are other ones."""

from datetime import datetime

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import ApiKey, User
from notifications.kinds import API
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


def _letter(user: User, version: DocumentVersion, now: datetime) -> Notice:
    path = reverse("documents:document", args=[version.document.slug])
    with translation.override(user.mail_language):
        paragraphs = [
            _("We have changed our terms. They hold from now on; you can read them here:"),
            settings.SITE_URL + path,
            _("Your programs go on working as they are. In the browser you are asked to accept them before you buy."),
        ]
        summary = languages.chosen(version.summaries)[1]
        if summary:
            paragraphs.insert(1, summary)
        subject = _("Our terms have changed")
        body = "\n\n".join(paragraphs)
    key = f"terms:{version.pk}:{user.pk}"
    return Notice(user=user, key=key, kind=API, url=path, subject=subject, body=body, created_at=now)
