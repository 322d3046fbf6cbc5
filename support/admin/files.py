"""Files of a ticket, for staff."""

from django.http import Http404, HttpResponse

from support.attachments.downloads import as_download
from support.models import Attachment, AttachmentContent, Ticket


def attachment_of(ticket: Ticket, attachment_id: int) -> HttpResponse:
    """Return a file of this ticket as a download, never as something a browser shows. Raises Http404."""
    file = Attachment.objects.filter(message__ticket=ticket, pk=attachment_id).first()
    content = AttachmentContent.objects.filter(attachment=file).first() if file is not None else None
    if file is None or content is None:
        raise Http404
    return as_download(file, bytes(content.data))
