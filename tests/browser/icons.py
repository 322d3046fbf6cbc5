"""`python -m tests.browser.icons`: draws the shop's icon as PNG and ICO, and the picture for previews of links."""

from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from tests.provision import chromium

ICONS = Path(__file__).resolve().parents[2] / "static" / "icons"
GROUND, INK, SPARK = "#0b5f4a", "#ffffff", "#f0a04b"
_DRAWING = f"""
<g fill="none" stroke="{INK}" stroke-width="2.2" stroke-linecap="round" stroke-linejoin="round">
<path d="M6.5 16.5V9.5a3 3 0 0 1 3-3h7L26 16l-9.5 9.5z"/><path d="m15 17.5 2.2 2.2 3.8-3.8"/></g>
<circle cx="11.5" cy="11.5" r="1.8" fill="{SPARK}"/>"""


def icon(*, rounded: bool, padding: float = 0) -> str:
    """Return the drawing as SVG; `padding` (of 32 units) is what a mask may cut off around it."""
    inset, size = -padding, 32 + 2 * padding
    corner = 8 if rounded else 0
    ground = f'<rect x="{inset}" y="{inset}" width="{size}" height="{size}" rx="{corner}" fill="{GROUND}"/>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{inset} {inset} {size} {size}">{ground}{_DRAWING}</svg>'


def social() -> str:
    """Return the picture of 1200 × 630 for previews: the tag, and lines of a receipt that add up to a tick."""
    bar = '<rect x="{}" y="{}" width="{}" height="18" rx="9" fill="#ffffff" opacity="{}"/>'
    lines = "".join(
        bar.format(620, 190 + 62 * row, width, opacity) + bar.format(1020 - end, 190 + 62 * row, end, opacity)
        for row, (width, end, opacity) in enumerate([(230, 70, 0.9), (170, 54, 0.6), (260, 88, 0.6), (140, 62, 0.6)])
    )
    total = f'<rect x="620" y="452" width="400" height="4" fill="{SPARK}"/>'
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 630">'
        f'<rect width="1200" height="630" fill="{GROUND}"/>'
        f'<g transform="translate(110 105) scale(13)">{_DRAWING}</g>{lines}{total}</svg>'
    )


def draw(browser: Browser, svg: str, name: str, width: int, height: int) -> Path:
    """Draw the SVG at this size into static/icons and return where it is."""
    page = browser.new_page(viewport={"width": width, "height": height})
    page.set_content(f"<style>*{{margin:0}}svg{{display:block;width:{width}px;height:{height}px}}</style>{svg}")
    path = ICONS / name
    page.screenshot(path=path, omit_background=True)
    page.close()
    smaller = Image.open(path)
    smaller.quantize(128).save(path, optimize=True)
    return path


def main() -> None:
    """Draw all of them."""
    with sync_playwright() as playwright:
        options = {"executable_path": chromium.executable(), "args": chromium.launch_arguments()}
        with playwright.chromium.launch(**options) as browser:
            for size in (192, 512):
                draw(browser, icon(rounded=True), f"icon-{size}.png", size, size)
            draw(browser, icon(rounded=False, padding=6), "maskable-512.png", 512, 512)
            draw(browser, icon(rounded=False, padding=2), "apple-touch-icon.png", 180, 180)
            draw(browser, social(), "social.png", 1200, 630)
            large = draw(browser, icon(rounded=True), "favicon.png", 256, 256)
    Image.open(large).save(ICONS / "favicon.ico", sizes=[(16, 16), (32, 32), (48, 48)])
    large.unlink()


if __name__ == "__main__":
    main()
