"""Whatever color an owner chooses, text stays readable in light and dark."""

import colorsys
import re

import pytest

from preferences import colors
from preferences.face import USUAL_ACCENT
from storefront.settings import BASE_DIR

HUES = [
    colors._hex(colorsys.hls_to_rgb(hue / 12, lightness, saturation))
    for hue in range(12)
    for lightness in (0.08, 0.3, 0.5, 0.7, 0.95)
    for saturation in (0.2, 1.0)
]
CHOSEN = [*HUES, "#000000", "#ffffff", "#808080", "#ffff00", "#fefefe", "#010101", USUAL_ACCENT]


def test_contrast_is_that_of_the_guidelines() -> None:
    assert colors.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert colors.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert colors.contrast("#0b5f4a", "#0b5f4a") == 1


@pytest.mark.parametrize("color", CHOSEN)
def test_every_color_can_be_read_wherever_it_lies(color: str) -> None:
    day, night = colors.light(color), colors.dark(color)

    for accent, grounds in ((day, colors.LIGHT_GROUNDS), (night, colors.DARK_GROUNDS)):
        pairs = [(accent.accent, ground) for ground in grounds]
        pairs += [(accent.on_accent, accent.accent), (accent.strong, accent.soft), (accent.on_accent, accent.strong)]
        assert [pair for pair in pairs if colors.contrast(*pair) < 4.5] == []


def test_what_can_be_read_already_stays_as_it_is() -> None:
    assert colors.nearest_readable(USUAL_ACCENT) == USUAL_ACCENT
    assert colors.nearest_readable("#ffee00") not in ("#ffee00", "#000000")


@pytest.mark.parametrize("color", ["#ffee00", "#0b5f4a", "#ffffff"])
def test_shades_of_the_admin_go_from_light_to_dark(color: str) -> None:
    made = colors.shades(color)

    brightness = [colors.contrast(shade, "#000000") for shade in made.values()]
    assert list(made) == ["50", "100", "200", "300", "400", "500", "600", "700", "800", "900", "950"]
    assert brightness == sorted(brightness, reverse=True)
    assert colors.contrast(made["600"], "#ffffff") >= 4.5  # what its buttons are written in


def test_grounds_are_those_of_the_style_sheet() -> None:
    tokens = (BASE_DIR / "static/css/tokens.css").read_text()
    pairs = {
        name: (light, dark) for name, light, dark in re.findall(r"--([\w-]+): light-dark\((\S+), (\S+)\);", tokens)
    }

    assert (pairs["paper"][0], pairs["surface"][0]) == colors.LIGHT_GROUNDS
    assert (pairs["paper"][1], pairs["surface"][1]) == colors.DARK_GROUNDS
    assert pairs["accent"][0] == USUAL_ACCENT
    assert set(re.findall(r"--([\w-]+):", colors.stylesheet("#7a1fa2"))) <= set(pairs)
