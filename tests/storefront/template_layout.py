"""`python -m tests.storefront.template_layout`: whether templates are laid out for reading, as `make check` asks.

djhtml holds the indentation, and breaks no line. This holds what is on a line: one block-level tag; and a tag of
Django's that shows nothing by itself stands alone.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
WIDTH = 120
BLOCKS = (
    "html head meta title link script body header nav main section article aside footer div h1 h2 h3 h4 p ul ol li dl "
    "dt dd table caption thead tbody tr th td form fieldset legend option details summary figure figcaption blockquote "
    "pre"
)
OPENS = re.compile(rf"<(?:{'|'.join(BLOCKS.split())})(?=[\s>])")
CLOSES = re.compile(rf"</(?:{'|'.join(BLOCKS.split())})>")
# A template's first lines, and what only names something for the lines below.
SILENT = re.compile(r"{% (?:(?:extends|load) [^%]*|\w+ [^%]* as \w+|blocktranslate [^%]*asvar [^%]*) ?%}")


def faults(source: str) -> Iterator[tuple[int, str]]:
    """Yield the number of each line of a template that is laid out badly, and why."""
    for number, line in enumerate(source.splitlines(), start=1):
        text = re.sub(r"{#.*?#}", "", line).strip()
        if len(line) > WIDTH:
            yield number, f"longer than {WIDTH} characters"
        opened, closed = len(OPENS.findall(text)), len(CLOSES.findall(text))
        if opened > 1 or closed > 1:
            yield number, "more than one block-level element"
        elif opened and not OPENS.match(text):
            yield number, "something before a block-level element"
        elif closed and not (text.endswith(">") and CLOSES.search(text[text.rindex("<") :])):
            yield number, "something after a block-level element"
        elif closed and not opened and not re.match(r">?</", text):
            yield number, "something before the end of a block-level element"
        found = SILENT.search(text)
        if found and (found.start() or ("asvar" not in found[0] and found[0] != text)):
            yield number, "something beside a tag that shows nothing"


def all_faults() -> list[str]:
    """Return every fault of the shop's templates, with its place."""
    return [
        f"{path.relative_to(TEMPLATES.parent)}:{number}: {why}"
        for path in sorted(TEMPLATES.rglob("*.html"))
        for number, why in faults(path.read_text())
    ]


if __name__ == "__main__":
    sys.exit("\n".join(all_faults()) or 0)
