"""One state of a component, and what components stand in."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Example:
    """One state of a component: its inputs, and the element it stands in, if it can't stand alone."""

    state: str
    inputs: Mapping[str, Any] = field(default_factory=dict)
    inside: str = ""  # one of FRAMES


# Elements that components say they stand in, by name: what comes before and after.
FRAMES = {
    "": ("", ""),
    "tabs": ('<ul class="tabs">', "</ul>"),
    "menu": ('<nav class="header__nav" aria-label="Example"><ul>', "</ul></nav>"),
    "services": ('<ul class="service-list">', "</ul>"),
    "similar": ('<ul class="similar-services">', "</ul>"),
    "timeline": ('<ol class="timeline">', "</ol>"),
    "select": ('<select aria-label="Example">', "</select>"),
    "form": ('<form role="none">', "</form>"),
    "speed": ('<div class="service-row__speed">', "</div>"),
    "brand": ('<span class="header__brand">', "</span>"),
    "phrase": ("<p>", "</p>"),
}
