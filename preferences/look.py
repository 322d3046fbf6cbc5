"""Where pages find what the shop looks like. Every address names its content, so a browser may keep it for good."""

import hashlib

from django.urls import reverse

from preferences import colors
from preferences.face import ACCENT, LOGO, USUAL_ACCENT
from preferences.kinds import Drawing

LOGO_HEIGHT = 32  # of the wide one in the header, in pixels of CSS


def styles_address() -> str:
    """Return the address of the style sheet with the accent; "" where it is that of the shop's own style sheet."""
    color = ACCENT.value
    if color == USUAL_ACCENT:
        return ""
    return f"{reverse('face_styles', args=[color[1:]])}?v={digest_of(colors.stylesheet(color))}"


def digest_of(styles: str) -> str:
    """Return what tells one style sheet from another: a release may derive other colors."""
    return hashlib.sha256(styles.encode()).hexdigest()[:12]


def logo(size: str) -> Drawing | None:
    """Return the logo in one of its sizes: "wide" or "icon"."""
    return LOGO.value.get(size)


def picture_address(drawing: Drawing) -> str:
    """Return where a picture is served."""
    return reverse("face_picture", args=[drawing.digest])


def shown_logo() -> dict[str, str | int] | None:
    """Return address, width and height of the logo as the header shows it, None where there is none."""
    drawing = logo("wide")
    if drawing is None:
        return None
    height = min(LOGO_HEIGHT, drawing.height)
    return {
        "url": picture_address(drawing),
        "width": max(1, round(drawing.width * height / drawing.height)),
        "height": height,
    }
