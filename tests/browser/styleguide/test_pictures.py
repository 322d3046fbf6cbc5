"""Every component looks as it did: the style guide, component by component, beside the pictures in this folder.

`make styleguide` takes the pictures anew, after a change that was meant. Look at them before they are committed.
"""

import io
import os
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageFilter
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from accounts.models import User
from storefront.styleguide.examples import EXAMPLES, WHEN
from tests.browser.test_api_pages import visitor

pytestmark = [pytest.mark.browser, pytest.mark.long, pytest.mark.xdist_group("browser")]
FOLDER = Path(__file__).parent
RENEW = "RENEW_STYLEGUIDE" in os.environ
WINDOW = {"width": 720, "height": 900}
COLORS = 48
# Letters are smoothed differently on other machines: edges are blurred away, and the rest must be visible to an eye.
BLUR = 1.5
VISIBLE = 40  # of 255
TOLERATED = 0.002  # of all pixels
TALLER = 3  # pixels


@pytest.mark.parametrize(("theme", "language"), [("light", "en"), ("dark", "ru")])
def test_components_when_nobody_meant_to_change_them_look_as_before(
    browser: Browser, live_server: LiveServer, transactional_db: None, sam: User, theme: str, language: str
) -> None:
    for page in visitor(browser, live_server.url, sam, viewport=WINDOW, color_scheme="light", timezone_id="UTC"):
        page.clock.set_fixed_time(WHEN)
        page.goto(f"/styleguide/?theme={theme}&language={language}")
        page.wait_for_load_state("networkidle")
        found = [name for name in EXAMPLES if not _as_before(page, name, FOLDER / f"{name}-{theme}-{language}.png")]

    assert found == [], "look at /styleguide/; if that was meant: make styleguide"


def test_pictures_are_of_components_that_there_are() -> None:
    pictures = {path.name.partition("-")[0] for path in FOLDER.glob("*.png")}

    assert pictures == set(EXAMPLES)


def _as_before(page: Page, name: str, path: Path) -> bool:
    taken = Image.open(io.BytesIO(page.locator(f'[data-component="{name}"]').screenshot(animations="disabled")))
    if RENEW:
        if not (path.exists() and alike(taken, Image.open(path))):
            taken.convert("RGB").quantize(COLORS).save(path, optimize=True)
        return True
    return path.exists() and alike(taken, Image.open(path))


def alike(one: Image.Image, other: Image.Image) -> bool:
    """Whether two pictures look the same, but for how letters are smoothed."""
    if one.width != other.width or abs(one.height - other.height) > TALLER:
        return False
    box = (0, 0, one.width, min(one.height, other.height))
    blurred = [each.convert("RGB").crop(box).filter(ImageFilter.GaussianBlur(BLUR)) for each in (one, other)]
    strongest = ImageChops.difference(*blurred).convert("L").histogram()
    return sum(strongest[VISIBLE:]) <= TOLERATED * box[2] * box[3]
