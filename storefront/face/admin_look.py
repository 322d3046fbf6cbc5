"""The admin wears the shop's name, logo and color (django-unfold asks these on every page)."""

from typing import Any

from django.http import HttpRequest
from unfold.settings import CONFIG_DEFAULTS

from preferences import colors, look
from preferences.face import ACCENT, STORE_NAME


def store_name(_request: HttpRequest | None = None) -> str:
    """Return the title of the admin's pages."""
    return STORE_NAME.value


def icon(_request: HttpRequest | None = None) -> str | None:
    """Return the address of what stands beside the name."""
    drawing = look.logo("icon")
    return None if drawing is None else look.picture_address(drawing)


def theme_colors(_request: HttpRequest | None = None) -> dict[str, Any]:
    """Return the theme's colors with the accent as the primary one; new ones each time, for the theme changes them."""
    return {
        **{name: dict(shades) for name, shades in CONFIG_DEFAULTS["COLORS"].items()},
        "primary": colors.shades(ACCENT.value),
    }
