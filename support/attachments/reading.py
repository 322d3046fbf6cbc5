"""Files that come with a message: what kind each is its content says, and what is kept is no more than that.

Pictures are drawn anew. Text and PDF are kept as they are, after a look at what else they could be taken for; they are
only ever sent as downloads.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO, Any, Protocol

from django.utils.translation import gettext as _

from support.attachments.names import clean_name, extension_of
from support.attachments.pictures import redrawn
from support.attachments.refusals import FileRefused
from support.models import Attachment
from upstream.reading.text import line, shortened

MOST_FILES = 5
LONGEST_FILE = 4 * 1024 * 1024
# Drawn anew, a picture may take more than it did.
LONGEST_KEPT = 2 * LONGEST_FILE
ACCEPTED = ".png,.jpg,.jpeg,.webp,.txt,.log,.pdf"

Kind = Attachment.Kind
_OF_FORMAT = {"PNG": Kind.PNG, "JPEG": Kind.JPEG, "WEBP": Kind.WEBP}
_EXTENSIONS = {Kind.PNG: "png", Kind.JPEG: "jpg", Kind.WEBP: "webp", Kind.PDF: "pdf"}
_TEXT_EXTENSIONS = ("txt", "log")
_PICTURE = re.compile(rb"\x89PNG\r\n\x1a\n|\xff\xd8\xff|RIFF....WEBP", re.DOTALL)
_PDF_HEAD = re.compile(rb"%PDF-[12]\.\d[\r\n \t]")
_PDF_END = re.compile(rb"startxref\s+\d+\s+%%EOF\s*\Z")
# What a browser or an unpacking program would take the file for, were it asked to.
_MARKUP = re.compile(rb"<(?:!doctype|html|head|body|script|iframe|svg[\s>])", re.IGNORECASE)
_ARCHIVE_END = b"PK\x05\x06"
_ACTIVE = re.compile(rb"/(?:JavaScript|Launch|EmbeddedFiles)\b")
# Names of a PDF may have characters by their numbers: ISO 32000-1, 7.3.5.
_BY_NUMBER = re.compile(rb"#([0-9A-Fa-f]{2})")
_STARTS_AS_MARKUP = re.compile(r"\s*<(?:!|\?xml|html|head|body|script|svg)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Upload(Protocol):
    """A file as Django's forms give it."""

    name: Any

    def read(self, size: int = ..., /) -> bytes: ...


@dataclass(frozen=True)
class ReadFile:
    """A file that may be stored: its clean name, its kind and its bytes."""

    name: str
    kind: Attachment.Kind
    data: bytes


def read_files(files: Iterable[Upload | IO[bytes]]) -> Sequence[ReadFile]:
    """Return the files as they are kept. Raises FileRefused, which names the file, for one that is not taken."""
    uploads = list(files)
    if len(uploads) > MOST_FILES:
        raise FileRefused(_("Attach at most %(count)d files.") % {"count": MOST_FILES})
    named = [(str(upload.name or ""), upload.read(LONGEST_FILE + 1)) for upload in uploads]
    # Pictures last: drawing takes long, and is for nothing where another file is refused.
    last = sorted(range(len(named)), key=lambda at: _PICTURE.match(named[at][1]) is not None)
    read = {at: _read(*named[at]) for at in last}
    return [read[at] for at in range(len(named))]


def _read(name: str, data: bytes) -> ReadFile:
    try:
        return _checked(name, data)
    except FileRefused as refusal:
        shown = shortened(line(re.split(r"[/\\]", name)[-1]), 60)
        raise FileRefused(f"{shown}: {refusal}" if shown else str(refusal)) from None


def _checked(name: str, data: bytes) -> ReadFile:
    if not data:
        raise FileRefused(_("The file is empty."))
    if len(data) > LONGEST_FILE:
        raise FileRefused(_("The file is larger than 4 MB."))
    if _PICTURE.match(data):
        format_, data = redrawn(data)
        kind = _OF_FORMAT[format_]
        if len(data) > LONGEST_KEPT:
            raise FileRefused(_("The picture is too large. Make it smaller, or send a part of it."))
    elif data.startswith(b"%PDF-"):
        kind = Kind.PDF
        _check_pdf(data)
    elif extension_of(name) in _TEXT_EXTENSIONS:
        data = _checked_text(data)
        return ReadFile(clean_name(name, extension_of(name)), Kind.TEXT, data)
    else:
        raise FileRefused(_("We take PNG, JPEG, WebP, PDF and plain text (.txt, .log)."))
    return ReadFile(clean_name(name, _EXTENSIONS[kind]), kind, data)


def _check_pdf(data: bytes) -> None:
    if not _PDF_HEAD.match(data) or not _PDF_END.search(data[-2048:]):
        raise FileRefused(_("The PDF is damaged: we can't read it."))
    names = _BY_NUMBER.sub(lambda found: bytes.fromhex(found[1].decode()), data)
    if _MARKUP.search(data) or _ARCHIVE_END in data[-70_000:] or _ACTIVE.search(names):
        raise FileRefused(_("The PDF holds scripts or other files. Print it to a new PDF and send that."))


def _checked_text(data: bytes) -> bytes:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileRefused(_("The file isn't plain text in UTF-8.")) from None
    if _CONTROL.search(text.replace("\r\n", "\n")):
        raise FileRefused(_("The file isn't plain text: it has control characters."))
    if not text.strip():
        raise FileRefused(_("The file is empty."))
    if _STARTS_AS_MARKUP.match(text):
        raise FileRefused(_("The file is a web page or a drawing, not plain text."))
    return text.encode()
