"""Attack: files that are no pictures, or more than pictures, are uploaded as the logo."""

import io
import struct
import zlib
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from PIL import Image as Pillow
from PIL import ImageOps, PngImagePlugin

from preferences.face import LOGO_KIND
from preferences.pictures import LONGEST_FILE, content_of, draw, keep

SECRET = b"<script>alert(1)</script>PK\x03\x04"


def picture(format: str = "PNG", size: tuple[int, int] = (300, 100), mode: str = "RGB", **options: Any) -> bytes:
    out = io.BytesIO()
    Pillow.new(mode, size, "purple").save(out, format, **options)
    return out.getvalue()


def drawn(data: bytes) -> dict[str, bytes]:
    drawings, pictures = draw(io.BytesIO(data), LOGO_KIND)
    contents = {one.digest: one.content for one in pictures}
    return {name: contents[drawing.digest] for name, drawing in drawings.items()}


def opened(data: bytes) -> Pillow.Image:
    return Pillow.open(io.BytesIO(data))


@pytest.mark.parametrize(("format", "mode"), [("PNG", "RGBA"), ("PNG", "P"), ("PNG", "L"), ("JPEG", "RGB"),
                                              ("JPEG", "CMYK"), ("WEBP", "RGB")])  # fmt: skip
def test_a_picture_is_drawn_anew_in_set_sizes(format: str, mode: str) -> None:
    made = drawn(picture(format, (2000, 500), mode if mode != "P" else "RGB"))

    assert {name: (opened(data).format, opened(data).size) for name, data in made.items()} == {
        "wide": ("PNG", (384, 96)),
        "icon": ("PNG", (192, 192)),
    }


def test_a_small_picture_is_not_enlarged() -> None:
    assert opened(drawn(picture(size=(40, 20)))["wide"]).size == (40, 20)


def test_nothing_beside_the_pixels_is_kept() -> None:
    about = PngImagePlugin.PngInfo()
    about.add_text("Comment", SECRET.decode("latin-1"))
    exif = Pillow.Exif()
    exif[0x010E] = SECRET.decode("latin-1")
    hidden = [
        picture(pnginfo=about),
        picture("JPEG", exif=exif, comment=SECRET),
        picture("JPEG", icc_profile=SECRET),
        picture("WEBP", exif=exif.tobytes(), xmp=SECRET),
        picture("PNG") + SECRET,
        picture("JPEG") + SECRET,
    ]

    for data in hidden:
        assert b"alert" in data or SECRET in data
        for made in drawn(data).values():
            assert b"alert" not in made
            assert b"PK\x03\x04" not in made
            assert set(opened(made).info) == set()


def test_a_photograph_is_turned_as_it_says() -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6  # lies on its side
    made = drawn(picture("JPEG", (200, 50), exif=exif))

    assert opened(made["wide"]).size == (24, 96)


@pytest.mark.parametrize("orientation", range(10))
def test_a_photograph_is_turned_as_other_programs_do(orientation: int) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    out = io.BytesIO()
    corner = Pillow.new("RGB", (60, 30), "purple")
    corner.paste("white", (0, 0, 20, 5))
    corner.save(out, "PNG", exif=exif)
    data = out.getvalue()
    upright = ImageOps.exif_transpose(opened(data)).convert("RGBA")

    made = opened(drawn(data)["wide"])

    assert (made.size, made.tobytes()) == (upright.size, upright.tobytes())


@pytest.mark.parametrize(("tag", "kind"), [(0x011A, 1), (0x011A, 2), (0x010E, 11), (0x0110, 11)])
def test_a_photograph_with_damaged_notes_is_turned_all_the_same(tag: int, kind: int) -> None:
    notes = [(0x0112, 3, 1, b"\0\6\0\0"), (tag, kind, 1, b"abcd")]
    listed = b"".join(struct.pack(">HHI4s", *note) for note in notes)
    exif = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">H", len(notes)) + listed + b"\0\0\0\0"

    made = drawn(picture("JPEG", (200, 50), exif=exif))

    assert opened(made["wide"]).size == (24, 96)


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few bytes that claims to be huge."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(b"\0" * 1000)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><script>alert(1)</script></svg>'


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (SVG, "no PNG, JPEG or WebP"),
        (b'<?xml version="1.0"?>' + SVG, "no PNG, JPEG or WebP"),
        (b"<html><script>alert(1)</script>", "no PNG, JPEG or WebP"),
        (b"GIF89a" + SECRET, "no PNG, JPEG or WebP"),
        (picture("GIF"), "no PNG, JPEG or WebP"),
        (picture("BMP"), "no PNG, JPEG or WebP"),
        (picture("TIFF"), "no PNG, JPEG or WebP"),
        (b"\x89PNG\r\n\x1a\n" + SVG, "no PNG, JPEG or WebP"),
        (picture()[:100], "no PNG, JPEG or WebP"),
        (picture("JPEG")[:300], "no PNG, JPEG or WebP"),
        (b"", "no PNG, JPEG or WebP"),
        (bomb(5_000, 5_000), "16 million pixels"),
        (bomb(200_000, 200_000), "no PNG, JPEG or WebP|16 million pixels"),
        (bomb(100, 100), "no PNG, JPEG or WebP"),
        (picture(size=(15, 300)), "smaller than 16 pixels"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * LONGEST_FILE, "larger than 2 MB"),
    ],
)
def test_what_is_no_picture_is_refused(data: bytes, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        draw(io.BytesIO(data), LOGO_KIND)


@pytest.mark.django_db
def test_the_same_picture_is_stored_once() -> None:
    for _time in range(2):
        _drawings, pictures = draw(io.BytesIO(picture()), LOGO_KIND)
        keep(pictures)

    assert content_of(pictures[0].digest) == pictures[0].content
    assert content_of("0" * 64) is None
