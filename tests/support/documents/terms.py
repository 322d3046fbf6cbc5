"""The terms, for tests that sign up or that change them."""

from typing import Any

from django.utils import timezone

from support.documents.acceptance import terms_now
from support.documents.publish import fill_in_missing, publish
from support.models import Document, DocumentVersion


def ticked() -> dict[str, str]:
    """What the box of the sign-up sends; nothing where a test began without any documents."""
    version = terms_now()
    return {"terms": str(version.pk)} if version is not None else {}


def with_documents() -> None:
    """Have the documents that a shop begins with, whatever the test before this one emptied."""
    fill_in_missing(now=timezone.now())


def write(slug: str, text: str, *, title: str = "Title", **said: Any) -> DocumentVersion:
    """Publish a text in English."""
    document, _new = Document.objects.get_or_create(slug=slug)
    newest = document.versions.first()
    version = publish(
        document.pk,
        **{"titles": {"en": title}, "texts": {"en": text}, **said},
        seen=newest.number if newest else 0,
        actor_id=None,
        actor="owner@example.com",
        now=timezone.now(),
    )
    assert version is not None
    return version


def change_terms(**said: Any) -> DocumentVersion:
    """Publish terms that customers are asked to accept anew."""
    return write("terms", "## One\n\nThe new ones.", title="Terms", asks_again=True, **said)
