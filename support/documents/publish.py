"""Writing documents: each save is a version of its own, which holds from then on."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from support.documents import shipped
from support.documents.known import TERMS, has_been_told, tell
from support.documents.tell_resellers import tell_resellers
from support.models import Document, DocumentVersion


class WrittenMeanwhile(Exception):
    """Somebody else has published a version since this one was begun."""


def publish(
    document_id: int,
    *,
    titles: Mapping[str, str],
    texts: Mapping[str, str],
    summaries: Mapping[str, str] | None = None,
    asks_again: bool = False,
    seen: int,
    actor_id: int | None,
    actor: str,
    now: datetime,
) -> DocumentVersion | None:
    """Publish a version and return it; None, and nothing is written, where it says what the newest one says.

    `seen` is the number of the newest version when this one was begun, 0 for none: raises WrittenMeanwhile where that
    is another one now. Only versions of the terms ask customers again; one that does is mailed to resellers.
    """
    with transaction.atomic():
        document = _locked(document_id)
        newest = document.versions.first()
        if (newest.number if newest else 0) != seen:
            raise WrittenMeanwhile(document.slug)
        said: dict[str, Any] = {"titles": _filled(titles), "texts": _filled(texts)}
        asks_again = asks_again and document.slug == TERMS
        same = newest is not None and newest.titles == said["titles"] and newest.texts == said["texts"]
        if same and not asks_again:
            return None
        version = document.versions.create(
            number=seen + 1,
            **said,
            summaries=_filled(summaries or {}),
            asks_again=asks_again,
            created_at=now,
            actor_id=actor_id,
            actor=actor[:254],
        )
        tell(actor_id=actor_id, actor=actor, now=now)
        if asks_again:
            tell_resellers(version, now=now)
    return version


def put_back(
    version: DocumentVersion, *, seen: int, actor_id: int, actor: str, now: datetime
) -> DocumentVersion | None:
    """Publish once more what a version said; as `publish`, and nobody is asked again."""
    return publish(
        version.document_id,
        titles=version.titles,
        texts=version.texts,
        seen=seen,
        actor_id=actor_id,
        actor=actor,
        now=now,
    )


def tell_of_changes(*, actor_id: int | None, actor: str, now: datetime) -> None:
    """Let every page know of another order, or of what is hidden now; in the transaction that changed it."""
    with transaction.atomic():
        _lock()
        tell(actor_id=actor_id, actor=actor, now=now)


def fill_in_missing(*, now: datetime) -> list[str]:
    """Create those of the shop's own documents that are not there, and return their slugs; what is there stays."""
    with transaction.atomic():
        there = set(
            Document.objects.filter(slug__in=shipped.SLUGS, versions__isnull=False).values_list("slug", flat=True)
        )
        made = []
        for position, each in enumerate(shipped.documents(), 1):
            if each.slug in there or not each.texts:
                continue
            document, _new = Document.objects.get_or_create(slug=each.slug, defaults={"position": 10 * position})
            DocumentVersion.objects.create(
                document=document, number=1, titles=each.titles, texts=each.texts, created_at=now
            )
            made.append(each.slug)
        if made and has_been_told():
            _lock()
            tell(now=now)
    return made


def _locked(document_id: int) -> Document:
    return next(document for document in _lock() if document.pk == document_id)


def _lock() -> list[Document]:
    """Let nobody else change documents until this transaction ends: what pages know is read from all of them."""
    return list(Document.objects.select_for_update().order_by("pk"))


def _filled(texts: Mapping[str, str]) -> dict[str, str]:
    return {code: text for code, text in texts.items() if text}
