"""Uploaded pictures are never served: they are decoded, and what is seen of them is drawn and encoded anew.

So nothing that hides in a file beside its pixels (scripts, archives, places where a photograph was taken) gets into the
shop. What kind of file it is its content says, not its name. SVG is a program, and refused.
"""

import hashlib
import io
import warnings
from typing import IO

from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from PIL import ExifTags
from PIL import Image as Pillow

from preferences.kinds import Drawing, Image
from preferences.models import Picture

FORMATS = ("PNG", "JPEG", "WEBP")
LONGEST_FILE = 2 * 1024 * 1024
MOST_PIXELS = 16_000_000  # 64 MB while it is decoded; small files can claim any size
SMALLEST_SIDE = 16
# How a picture lies in its file, and what turns it upright. Source: Exif 2.32, tag Orientation. Pillow's own turning
# writes the rest of the file's notes anew, and fails over damaged ones.
_TURNS: dict[object, Pillow.Transpose] = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_90,
}
PREVIEW_SECONDS = 600


def draw(file: IO[bytes], kind: Image) -> tuple[dict[str, Drawing], list[Picture]]:
    """Return the sizes of a picture that was uploaded, and the rows for `keep`, which are not stored yet.

    Raises ValidationError for what is too large, or no PNG, JPEG or WebP.
    """
    data = file.read(LONGEST_FILE + 1)
    if len(data) > LONGEST_FILE:
        raise ValidationError(_("The picture is larger than 2 MB."))
    whole = _decoded(data)
    drawings, pictures = {}, []
    for name, size in kind.sizes.items():
        small = whole.copy()
        small.thumbnail(size, Pillow.Resampling.LANCZOS)
        if name in kind.square:
            filled = Pillow.new("RGBA", size, (0, 0, 0, 0))
            filled.paste(small, ((size[0] - small.width) // 2, (size[1] - small.height) // 2))
            small = filled
        out = io.BytesIO()
        small.save(out, "PNG", optimize=True)
        content = out.getvalue()
        digest = hashlib.sha256(content).hexdigest()
        drawings[name] = Drawing(digest, small.width, small.height)
        pictures.append(Picture(digest=digest, content=content, width=small.width, height=small.height))
    return drawings, pictures


def keep(pictures: list[Picture]) -> None:
    """Store pictures; those that are there already are the same."""
    Picture.objects.bulk_create(pictures, ignore_conflicts=True)


def show_for_now(pictures: list[Picture]) -> None:
    """Serve pictures that are not stored for some minutes, for a preview."""
    cache.set_many({_key(picture.digest): picture.content for picture in pictures}, timeout=PREVIEW_SECONDS)


def content_of(digest: str) -> bytes | None:
    """Return the PNG that is stored under a digest, or shown for now."""
    picture = Picture.objects.filter(digest=digest).first()
    found = cache.get(_key(digest)) if picture is None else bytes(picture.content)
    return found if isinstance(found, bytes) else None


def _key(digest: str) -> str:
    return f"face_picture:{digest}"


def _decoded(data: bytes) -> Pillow.Image:
    """Return the picture's pixels, turned as it says, and nothing else of it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Pillow.DecompressionBombWarning)
            with Pillow.open(io.BytesIO(data), formats=FORMATS) as opened:
                # From the head of the file, before any of its pixels are decoded.
                if opened.width * opened.height > MOST_PIXELS:
                    raise ValidationError(_("The picture has more than 16 million pixels."))
                if min(opened.size) < SMALLEST_SIDE:
                    raise ValidationError(_("The picture is smaller than 16 pixels."))
                turn = _TURNS.get(opened.getexif().get(ExifTags.Base.Orientation))
                pixels = opened.convert("RGBA")
    except (OSError, SyntaxError, ValueError, Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
        raise ValidationError(_("This is no PNG, JPEG or WebP picture.")) from None
    # Only what is seen goes on: no text, no profile, no place.
    bare = Pillow.new("RGBA", pixels.size)
    bare.paste(pixels)
    return bare if turn is None else bare.transpose(turn)
