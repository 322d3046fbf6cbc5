"""Files of messages in the database, and how long they stay there."""

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from accounts.batches import batches
from preferences.keeping import ATTACHMENTS_KEPT
from support.attachments.reading import ReadFile
from support.models import Attachment, AttachmentContent, Message, Ticket


def keep_files(message: Message, files: Sequence[ReadFile], *, now: datetime) -> None:
    """Store the files of a message; part of the caller's transaction."""
    for file in files:
        attachment = Attachment.objects.create(
            message=message, name=file.name, kind=file.kind, size=len(file.data), created_at=now
        )
        AttachmentContent.objects.create(attachment=attachment, data=file.data)


def delete_old_contents(*, now: datetime) -> int:
    """Delete what files held whose tickets were closed long ago; return of how many. Their names and sizes stay."""
    old = Attachment.objects.filter(
        deleted_at=None,
        message__ticket__state=Ticket.State.CLOSED,
        message__ticket__closed_at__lt=now - ATTACHMENTS_KEPT.value,
    )
    return sum(forget_contents(ids, now=now) for ids in batches(old.order_by("id")))


def forget_contents(attachment_ids: Sequence[int], *, now: datetime) -> int:
    """Delete what these files held; return of how many. Their names, kinds and sizes stay."""
    with transaction.atomic():
        AttachmentContent.objects.filter(attachment__in=attachment_ids).delete()
        return Attachment.objects.filter(pk__in=attachment_ids, deleted_at=None).update(deleted_at=now)
