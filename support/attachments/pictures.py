"""Pictures of a message are drawn anew: what hides in a file beside its pixels does not get into the shop.

As preferences.pictures does, but each in its own format and size. Of something animated the first picture is kept.
"""

import io
import threading

from django.utils.translation import gettext as _
from PIL import Image as Pillow
from PIL import ImageOps

from support.attachments.refusals import FileRefused

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_PIXELS = 16_000_000  # 64 MB while it is decoded; small files can claim any size
# At once in one process, whatever number of customers sends pictures: one takes up to twice as much memory.
_drawing = threading.BoundedSemaphore(2)
SAVED_WITH: dict[str, dict[str, int]] = {"PNG": {}, "JPEG": {"quality": 90}, "WEBP": {"quality": 90, "method": 2}}


def redrawn(data: bytes) -> tuple[str, bytes]:
    """Return the format of a picture ("PNG", "JPEG", "WEBP"), and a new file with the same pixels, turned upright.

    Raises FileRefused for what no picture is, is damaged or has too many pixels.
    """
    with _drawing:
        return _redrawn(data)


def _redrawn(data: bytes) -> tuple[str, bytes]:
    try:
        with Pillow.open(io.BytesIO(data), formats=FORMATS) as opened:
            # From the head of the file, before any of its pixels are decoded.
            if opened.width * opened.height > MOST_PIXELS:
                raise Pillow.DecompressionBombError
            format_, see_through = str(opened.format), opened.has_transparency_data
            mode = "RGBA" if see_through and format_ != "JPEG" else "RGB"
            ImageOps.exif_transpose(opened, in_place=True)
            # Only what is seen goes on: no text, no profile, no place.
            bare = Pillow.new(mode, opened.size)
            bare.paste(opened if opened.mode == mode else opened.convert(mode))
        out = io.BytesIO()
        bare.save(out, format_, **SAVED_WITH[format_])
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning):
        raise FileRefused(_("The picture has more than 16 million pixels.")) from None
    except (
        Exception
    ):  # damaged bytes fail in many ways, TypeError and struct.error of what stands beside the pixels, too
        raise FileRefused(_("The picture is damaged: we can't read it.")) from None
    return format_, out.getvalue()
