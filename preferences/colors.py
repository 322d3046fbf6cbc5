"""Colors derived from the one an owner chooses, so that text stays readable in light and dark.

Contrast is as in WCAG 2.2, relative luminance of sRGB: 4.5 for text, which 1.4.3 asks for.
"""

import colorsys
from collections.abc import Callable
from dataclasses import dataclass

READABLE = 4.5
# As static/css/tokens.css has them: the lightest and the darkest things that accents lie on, and what lies on accents.
LIGHT_GROUNDS, DARK_GROUNDS = ("#f4f6f3", "#ffffff"), ("#0f1513", "#171f1c")
WHITE = "#ffffff"
STEP = 0.01
# Each color of the admin's theme (django-unfold), as how light it is; 600 is the accent itself.
SHADES = {
    "50": 0.97, "100": 0.94, "200": 0.87, "300": 0.77, "400": 0.65, "500": 0.52,
    "700": -0.18, "800": -0.34, "900": -0.48, "950": -0.66,
}  # fmt: skip


@dataclass(frozen=True)
class Accent:
    """The accent's tokens in one scheme."""

    accent: str
    strong: str
    soft: str
    on_accent: str


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colors (#rrggbb), from 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def is_readable(color: str) -> bool:
    """Whether a color can be read on the light grounds, and white on it."""
    return all(contrast(color, ground) >= READABLE for ground in (*LIGHT_GROUNDS, WHITE))


def nearest_readable(color: str) -> str:
    """Return the color, or the lightest one of its hue that can be read on the light grounds."""
    return _shifted(color, -STEP, is_readable)


def light(color: str) -> Accent:
    """Return the tokens on light grounds, of a color that can be read there."""
    accent = nearest_readable(color)
    soft = _mixed(accent, WHITE, 0.14)
    strong = _shifted(_lightened(accent, -0.06), -STEP, lambda shade: contrast(shade, soft) >= READABLE)
    return Accent(accent, strong, soft, WHITE)


def dark(color: str) -> Accent:
    """Return the tokens on dark grounds: the same hue, light enough to be read there."""
    accent = _shifted(color, STEP, lambda shade: all(contrast(shade, ground) >= 7 for ground in DARK_GROUNDS))
    soft = _mixed(accent, DARK_GROUNDS[1], 0.18)
    strong = _shifted(_lightened(accent, 0.08), STEP, lambda shade: contrast(shade, soft) >= READABLE)
    on_accent = _shifted(_mixed(accent, "#000000", 0.2), -STEP, lambda shade: contrast(shade, accent) >= READABLE)
    return Accent(accent, strong, soft, on_accent)


def shades(color: str) -> dict[str, str]:
    """Return the admin theme's eleven shades of a color, by their numbers."""
    accent = nearest_readable(color)
    made = {
        number: _mixed(accent, WHITE, 1 - share) if share > 0 else _mixed(accent, "#000000", 1 + share)
        for number, share in SHADES.items()
    }
    return dict(sorted({**made, "600": accent}.items(), key=lambda item: int(item[0])))


def stylesheet(color: str) -> str:
    """Return the style sheet that puts these in the place of the tokens of the same names."""
    by_day, by_night = light(color), dark(color)
    pairs = {
        "accent": (by_day.accent, by_night.accent),
        "accent-strong": (by_day.strong, by_night.strong),
        "accent-soft": (by_day.soft, by_night.soft),
        "on-accent": (by_day.on_accent, by_night.on_accent),
    }
    rules = "".join(f"  --{name}: light-dark({day}, {night});\n" for name, (day, night) in pairs.items())
    return f":root {{\n{rules}}}\n"


def _luminance(color: str) -> float:
    red, green, blue = (_linear(part) for part in _parts(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _parts(color: str) -> tuple[float, float, float]:
    return int(color[1:3], 16) / 255, int(color[3:5], 16) / 255, int(color[5:7], 16) / 255


def _hex(parts: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(min(1.0, max(0.0, part)) * 255):02x}" for part in parts)


def _mixed(color: str, ground: str, share: float) -> str:
    """Return `share` of the color over a ground."""
    red, green, blue = (
        above * share + below * (1 - share) for above, below in zip(_parts(color), _parts(ground), strict=True)
    )
    return _hex((red, green, blue))


def _lightened(color: str, by: float) -> str:
    hue, lightness, saturation = colorsys.rgb_to_hls(*_parts(color))
    return _hex(colorsys.hls_to_rgb(hue, min(1.0, max(0.0, lightness + by)), saturation))


def _shifted(color: str, step: float, is_enough: Callable[[str], bool]) -> str:
    """Return the color, made lighter or darker step by step until it is enough; black or white at the end."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*_parts(color))
    shade = color
    while not is_enough(shade) and 0 < lightness + step < 1:
        lightness += step
        shade = _hex(colorsys.hls_to_rgb(hue, lightness, saturation))
    return shade
