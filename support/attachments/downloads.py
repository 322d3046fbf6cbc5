"""A file as it leaves the shop: never shown by the browser as a page of ours, whatever it holds."""

from django.http import HttpResponse
from django.utils.http import content_disposition_header

from support.models import Attachment

Kind = Attachment.Kind
TYPES = {
    Kind.PNG: "image/png",
    Kind.JPEG: "image/jpeg",
    Kind.WEBP: "image/webp",
    Kind.TEXT: "text/plain; charset=utf-8",
    Kind.PDF: "application/pdf",
}


def as_download(attachment: Attachment, data: bytes) -> HttpResponse:
    """Return a file as an answer that is saved, not opened, and kept by no cache."""
    response = HttpResponse(data, content_type=TYPES[Kind(attachment.kind)])
    response["Content-Disposition"] = content_disposition_header(True, attachment.name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response["Cross-Origin-Resource-Policy"] = "same-origin"
    return response
