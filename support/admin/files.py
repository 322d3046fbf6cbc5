"""Files of a ticket, for staff."""

from django.http import Http404, HttpResponse
from django.utils.http import content_disposition_header

from support.models import Attachment, Ticket


def attachment_of(ticket: Ticket, attachment_id: int) -> HttpResponse:
    """Return a file of this ticket as a download, never as something a browser shows. Raises Http404."""
    files = Attachment.objects.filter(message__ticket=ticket, deleted_at=None).select_related("content")
    found = files.filter(pk=attachment_id).first()
    if found is None or not hasattr(found, "content"):
        raise Http404
    response = HttpResponse(bytes(found.content.data), content_type="application/octet-stream")
    response["Content-Disposition"] = content_disposition_header(True, found.name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
