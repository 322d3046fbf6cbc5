"""What may be sent to the shop: bodies of a bounded length, and files only where a page takes them.

A page that takes files, or more than usual, is registered in DOORS. Everything else is refused by the outermost
middleware before a byte of it is read, and a file in a form by the first handler that would keep it.
"""

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from django.conf import settings
from django.core.exceptions import TooManyFilesSent
from django.core.files.uploadhandler import FileUploadHandler
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse

View = Callable[[HttpRequest], HttpResponse]


@dataclass(frozen=True)
class Door:
    """Paths that take another length than DATA_UPLOAD_MAX_MEMORY_SIZE, or files; matched from their beginning."""

    path: re.Pattern[str]
    max_bytes: int
    takes_files: bool = False


DOORS: tuple[Door, ...] = (
    # Gateways' callbacks, as wallet.operations.callbacks.MAX_BYTES; anybody can knock there.
    Door(re.compile(r"/wallet/callbacks/"), 64 * 1024),
    # The shop's logo, with the rest of the form; how large it may be itself preferences.pictures says.
    Door(re.compile(r"/admin/preferences/preferencechange/(?:preview/)?$"), 3 * 1024 * 1024, takes_files=True),
    # A file that changes services, as catalog.operations.service_files.MAX_BYTES.
    Door(re.compile(r"/admin/catalog/service/import/$"), 24 * 1024 * 1024, takes_files=True),
    # Five files of a question or a reply, as support.attachments.reading takes them, and some more to be refused in
    # words there.
    Door(re.compile(r"/help/(?:new|\d+)/$"), 32 * 1024 * 1024, takes_files=True),
    # The same of staff's answers, and of a canned answer that is put in below what was typed.
    Door(re.compile(r"/admin/support/ticket/\d+/(?:act|fill)/$"), 32 * 1024 * 1024, takes_files=True),
)
ENDS_TOO_SOON = "the body is shorter than was stated"
# Refuses what is too long before reading it, too, in the words and with the status that programs expect of it.
REFUSES_ITSELF = re.compile(r"/api/v2/?$")


def door_of(path: str) -> Door | None:
    """Return the door registered for a path; None: the usual rules hold."""
    return next((door for door in DOORS if door.path.match(path)), None)


class BodyMiddleware:
    """Answer 413 to a body that is too long or does not say how long it is, and 400 to a length that is none.

    One that ends too soon is not read at all.
    """

    def __init__(self, get_response: View) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        stated = request.META.get("CONTENT_LENGTH") or "0"
        if not (stated.isascii() and stated.isdigit()):
            return _refusal(400, "Content-Length is no number.")
        # Sent piece by piece, a body has no length to be refused by; no browser and no gateway does that.
        endless = "HTTP_TRANSFER_ENCODING" in request.META
        door = door_of(request.path_info)
        longest = door.max_bytes if door else settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        too_long = len(stated) > 15 or int(stated) > longest
        if endless or (too_long and not REFUSES_ITSELF.match(request.path_info)):
            return _refusal(413, "The request is too large, or does not say how large it is.")
        if isinstance(request, WSGIRequest) and int(stated):
            # In place of Django's own, of which nothing has been read yet.
            request._stream = WholeStream(request.environ["wsgi.input"], int(stated))  # type: ignore[assignment]
        return self.get_response(request)


class WholeStream(io.IOBase):
    """A body as long as was stated, or none: half a form must not be taken for a whole one.

    A connection that breaks within `quantity=1000` would order ten.
    """

    def __init__(self, stream: BinaryIO, length: int) -> None:
        self._stream, self._left = stream, length

    def read(self, size: int | None = -1, /) -> bytes:
        """Return as many bytes as asked for, as far as the body goes. Raises OSError where it ends too soon."""
        wanted = self._wanted(size)
        data = self._stream.read(wanted) if wanted else b""
        if len(data) < wanted:
            raise OSError(ENDS_TOO_SOON)
        self._left -= len(data)
        return data

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return a line, or as much of it as asked for. Raises OSError where the body ends too soon."""
        wanted = self._wanted(size)
        line = self._stream.readline(wanted) if wanted else b""
        if len(line) < wanted and not line.endswith(b"\n"):
            raise OSError(ENDS_TOO_SOON)
        self._left -= len(line)
        return line

    def _wanted(self, size: int | None) -> int:
        return self._left if size is None or size < 0 else min(size, self._left)


class FilesNotTaken(TooManyFilesSent):
    """A file was sent to a page that takes none."""


class RegisteredFilesOnly(FileUploadHandler):
    """The first of FILE_UPLOAD_HANDLERS: lets files through to the others at doors that take them, and nowhere else."""

    def new_file(self, *args: object, **kwargs: object) -> None:
        """Raise FilesNotTaken, which is answered with 400, before anything of the file is kept."""
        door = door_of(self.request.path_info) if self.request else None
        if door is None or not door.takes_files:
            raise FilesNotTaken("This page takes no files.")

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None


def _refusal(status: int, words: str) -> HttpResponse:
    headers = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
    return HttpResponse(f"{words}\n", status=status, content_type="text/plain; charset=utf-8", headers=headers)
