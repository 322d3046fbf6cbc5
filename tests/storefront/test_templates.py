"""Rules every template and stylesheet keeps, so that the content policy never blocks a page."""

import re
from pathlib import Path

import pytest
from django.conf import settings

from catalog.browse.groups import ICONS
from tests.storefront.template_layout import all_faults, faults

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
# The admin's theme needs inline style and script; its policy allows them there alone. Mails carry their styles along.
PAGES = [path for path in TEMPLATES if not {"admin", "mail"} & set(path.parts)]
COMPONENTS = [path for path in PAGES if path.parent.name == "components"]
STYLES = sorted((settings.BASE_DIR / "static/css").rglob("*.css"))
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")


def name(path: Path) -> str:
    return str(path.relative_to(settings.BASE_DIR))


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_template_has_no_inline_style_or_script(path: Path) -> None:
    source = path.read_text()

    assert re.findall(r"\sstyle\s*=", source) == []
    assert re.findall(r"\son[a-z]+\s*=\s*[\"']", source) == []
    assert re.findall(r"\shx-on", source) == []
    assert re.findall(r"<style|javascript:", source) == []
    assert [tag for tag in re.findall(r"<script[^>]*>", source) if "src=" not in tag] == []


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_template_uses_no_emoji(path: Path) -> None:
    assert EMOJI.findall(path.read_text()) == []


@pytest.mark.parametrize("path", COMPONENTS, ids=name)
def test_component_declares_what_it_takes(path: Path) -> None:
    assert path.read_text().startswith("{# takes:")


@pytest.mark.parametrize("path", PAGES, ids=name)
def test_template_includes_components_with_declared_inputs_only(path: Path) -> None:
    includes = re.findall(r'{% include "components/[^%]*%}', path.read_text())

    assert [include for include in includes if not include.endswith(" only %}")] == []


@pytest.mark.parametrize("path", STYLES, ids=name)
def test_stylesheet_is_short_and_selects_no_ids(path: Path) -> None:
    source = re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.DOTALL)
    selectors = re.findall(r"([^{};]+){", source)

    assert source.count("\n") < 80 or path.parent.name != "components"
    assert [selector for selector in selectors if re.search(r"#[a-zA-Z]", selector)] == []


@pytest.mark.parametrize("path", [path for path in STYLES if path.parent.name == "components"], ids=name)
def test_component_stylesheet_is_imported(path: Path) -> None:
    site = (settings.BASE_DIR / "static/css/site.css").read_text()

    assert f'@import url("components/{path.name}") layer(components);' in site


def test_templates_are_laid_out_for_reading() -> None:
    assert all_faults() == []


@pytest.mark.parametrize(
    "line",
    [
        "<p>" + "word " * 30 + "</p>",
        "<li><article>",
        "<dt>Price</dt><dd>1</dd>",
        "{% if price %}<p>{{ price }}</p>",
        "<p>{{ price }}</p>{% endif %}",
        "{{ price }}</p>",
        '{% extends "base.html" %}{% load i18n %}',
        '{% translate "Price" as label %}{% button label=label %}',
    ],
)
def test_layout_that_is_hard_to_read_is_found(line: str) -> None:
    assert [number for number, _why in faults(f"<div>\n{line}\n</div>")] == [2]


def test_whoever_asks_for_less_motion_gets_none() -> None:
    base = (settings.BASE_DIR / "static/css/base.css").read_text()
    everything = re.search(
        r"@media \(prefers-reduced-motion: reduce\) {\s*\*, \*::before, \*::after {(.*?)}", base, re.S
    )
    later = " ".join(path.read_text() for path in STYLES if path.parent.name == "components")

    assert everything
    assert set(re.findall(r"([a-z-]+): [^;]+ !important;", everything[1])) == {
        "animation-duration",
        "animation-iteration-count",
        "transition-duration",
        "scroll-behavior",
    }
    # What a moment's duration would not end, or what would win over it.
    assert re.findall(r"(?:animation|transition)-delay|(?:animation|transition)[^;}]*!important", later) == []


def test_icons_that_templates_name_are_in_the_sprite() -> None:
    sprite = (settings.BASE_DIR / "static/icons/sprite.svg").read_text()
    drawn = set(re.findall(r'<symbol id="([a-z]+)"', sprite))
    sources = " ".join(path.read_text() for path in PAGES)
    named = set(re.findall(r'icon="([a-z]+)"', sources)) | set(
        re.findall(r'components/icon.html" with name="([a-z]+)"', sources)
    )
    named |= ICONS  # of categories

    assert named - drawn == set()
    assert drawn - named - {"info", "success", "error"} == set()  # levels of an alert


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (#rrggbb). Source: WCAG 2.2, relative luminance."""

    def luminance(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(
    ("front", "back", "minimum"),
    [
        *[(ink, back, 4.5) for ink in ("ink", "ink-soft", "accent") for back in ("paper", "surface", "sunken")],
        ("on-accent", "accent", 4.5),
        ("on-accent", "accent-strong", 4.5),
        ("accent-strong", "accent-soft", 4.5),
        ("on-spark-soft", "spark-soft", 4.5),
        *[(tone, f"{tone}-soft", 4.5) for tone in ("good", "busy", "warn", "bad")],
        *[(tone, "surface", 4.5) for tone in ("good", "busy", "warn", "bad")],
        ("paper", "ink", 4.5),
        ("line-strong", "surface", 3),
        ("line-strong", "paper", 3),
    ],
)
def test_colours_contrast_enough_to_be_read(front: str, back: str, minimum: float, scheme: int) -> None:
    source = (settings.BASE_DIR / "static/css/tokens.css").read_text()
    colours = dict(re.findall(r"--([a-z-]+): light-dark\((#[0-9a-f]{6}, #[0-9a-f]{6})\)", source))

    assert contrast(colours[front].split(", ")[scheme], colours[back].split(", ")[scheme]) >= minimum
