"""Files as customers send them, honest ones and others."""

import io
import struct
import zlib

from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image as Pillow

PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\nxref\n0 1\ntrailer\n<< /Root 1 0 R >>\nstartxref\n45\n%%EOF\n"
SCRIPT = b"<html><script>alert(document.cookie)</script></html>"


def upload(name: str, data: bytes, content_type: str = "application/octet-stream") -> SimpleUploadedFile:
    """Return a file as a form gives it; what a browser says of its type counts for nothing."""
    return SimpleUploadedFile(name, data, content_type)


def picture(format_: str = "PNG", size: tuple[int, int] = (40, 30), **saved: object) -> bytes:
    """Return a picture whose left half is red and whose right half is blue."""
    image = Pillow.new("RGB", size, "blue")
    image.paste("red", (0, 0, size[0] // 2, size[1]))
    out = io.BytesIO()
    image.save(out, format_, **saved)
    return out.getvalue()


def turned_photograph() -> bytes:
    """Return a JPEG of 40 by 30 that is to be turned, with a place and a text in its EXIF."""
    exif = Pillow.Exif()
    exif[0x0112] = 6  # Orientation: a quarter turn
    exif[0x010E] = "secret place"
    return picture("JPEG", exif=exif)


def bomb(side: int = 30_000) -> bytes:
    """Return a small PNG that says it has `side` by `side` pixels."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(b"\0" * (side // 8 + 1) * 200, 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
