"""`make graph`: draw which room imports which into docs/rooms.svg, and count the circles; ends with 1 if there are any.

The rooms and their order are read from the contracts of import-linter in pyproject.toml, the imports from the code
(grimp, import-linter's own library, which counts those inside functions as well).
"""

import re
import sys
import tomllib
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "rooms.svg"
# Doors of Django's own into an app, and its history: everybody knows what they import, and they would hide the rest.
NOT_DRAWN = ("apps", "urls", "migrations")
COLORS = (
    *("#5b6472", "#0f766e", "#7c3aed", "#0891b2", "#dc2626"),
    *("#d97706", "#16a34a", "#db2777", "#2563eb", "#854d0e", "#be123c", "#4d7c0f", "#0369a1"),
)

TILE_WIDTH, TILE_HEIGHT, GAP_X, GAP_Y = 104, 32, 28, 10
LABEL_WIDTH, MARGIN, PADDING, BAND_GAP, HEAD = 136, 20, 14, 10, 74
MAX_ROWS = 5  # where an app has no contract: longer columns are broken
Edges = dict[str, set[str]]


@dataclass
class App:
    """A band of the picture: the rooms of an app in columns, each importing only from those to its right."""

    name: str
    color: str
    columns: list[list[str]] = field(default_factory=list)

    @property
    def height(self) -> int:
        tallest = max(len(column) for column in self.columns)
        return tallest * (TILE_HEIGHT + GAP_Y) - GAP_Y + 2 * PADDING


def main(root: Path = ROOT, target: Path = TARGET) -> int:
    """Write the picture and return 1 if any rooms import each other in a circle, else 0."""
    contracts = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    levels = next([*map(_names, contract["layers"])] for contract in contracts if "containers" not in contract)
    sys.path.insert(0, str(root))
    edges, sizes = rooms_of([name for level in levels for name in level])
    circles = circles_in(edges)
    for circle in circles:
        print("In a circle, in alphabetical order:", ", ".join(circle))
    orders = {c["containers"][0]: [*map(_names, c["layers"])] for c in contracts if "containers" in c}
    apps = []
    for name, color in zip((name for level in levels for name in level), COLORS, strict=True):
        apps.append(App(name, color, _columns(name, orders.get(name, []), edges)))
    target.write_text(draw(apps, levels, edges, sizes))
    found = f"{len(sizes)} rooms, {sum(map(len, edges.values()))} imports between them, circles: {len(circles)}"
    print(f"{found}. The picture is {target.relative_to(root)}.")
    return 1 if circles else 0


def rooms_of(apps: list[str]) -> tuple[Edges, dict[str, int]]:
    """Return what each room (app.name) imports, and how many modules it has."""
    graph = grimp.build_graph(*apps, cache_dir=None)
    edges: Edges = {}
    sizes: dict[str, int] = {}
    for module in sorted(graph.modules):
        room = _room(module)
        if room.partition(".")[2] in NOT_DRAWN:
            continue
        sizes[room] = sizes.get(room, 0) + 1
        imported = {_room(other) for other in graph.find_modules_directly_imported_by(module)}
        edges.setdefault(room, set()).update(imported - {room})
    return edges, sizes


def circles_in(edges: Edges) -> list[list[str]]:
    """Return the groups of rooms that reach each other, each in alphabetical order."""
    reached = {room: _reached(room, edges) for room in edges}
    found = {tuple(sorted(other for other in reached[room] if room in reached.get(other, ()))) for room in edges}
    return [list(circle) for circle in sorted(found) if circle]


def draw(apps: list[App], levels: list[list[str]], edges: Edges, sizes: dict[str, int]) -> str:
    """Return the picture as SVG."""
    width = MARGIN * 2 + LABEL_WIDTH + max(len(app.columns) for app in apps) * (TILE_WIDTH + GAP_X) - GAP_X + PADDING
    colors = {app.name: app.color for app in apps}
    parts, top = [], HEAD
    for app in apps:
        parts += _band(app, top, width, edges, sizes, colors)
        level = next(level for level in levels if app.name in level)
        # Two apps of one level stand together: neither imports the other.
        top += app.height + (2 if app.name != level[-1] else BAND_GAP)
    height = top - BAND_GAP + MARGIN
    words = (
        "Every app imports only from the apps below it; inside an app every room imports only from rooms to its right.",
        "Squares: the apps a room imports from, in their colors. Lines: the nearest rooms it imports."
        " Number: its modules.",
    )
    head = [
        f'<text x="{MARGIN}" y="{28 + 20 * row}" class="said">{escape(text)}</text>' for row, text in enumerate(words)
    ]
    style = (
        "text{font-family:system-ui,'Segoe UI',Roboto,'DejaVu Sans',sans-serif;fill:#1f2430}"
        ".said{font-size:13.5px;fill:#4a5160}.app{font-size:15px;font-weight:600}.room{font-size:12px}"
        ".size{font-size:10px;fill:#8a909c;text-anchor:end}.line{fill:none;stroke:#aab0bb;stroke-width:1.2}"
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
            ' role="img" aria-label="The rooms of the shop and what they import">',
            f"<style>{style}</style>",
            '<rect width="100%" height="100%" fill="#ffffff"/>',
            *head,
            *parts,
            "</svg>\n",
        ]
    )


def _band(app: App, top: int, width: int, edges: Edges, sizes: dict[str, int], colors: dict[str, str]) -> list[str]:
    places = {}
    for number, column in enumerate(app.columns):
        x = MARGIN + LABEL_WIDTH + number * (TILE_WIDTH + GAP_X)
        y = top + (app.height - len(column) * (TILE_HEIGHT + GAP_Y) + GAP_Y) / 2
        for row, room in enumerate(column):
            places[room] = (x, y + row * (TILE_HEIGHT + GAP_Y))
    parts = [
        f'<rect x="{MARGIN}" y="{top}" width="{width - 2 * MARGIN}" height="{app.height}" rx="8"'
        f' fill="{app.color}" fill-opacity="0.07"/>',
        f'<rect x="{MARGIN}" y="{top}" width="5" height="{app.height}" rx="2.5" fill="{app.color}"/>',
        f'<text x="{MARGIN + 16}" y="{top + app.height / 2 + 5:g}" class="app">{app.name}</text>',
    ]
    for room, others in _nearest({room: edges[room] & set(places) for room in places}).items():
        parts += [_line(places[room], places[other]) for other in sorted(others)]
    for room, (x, y) in places.items():
        parts.append(
            f'<rect x="{x}" y="{y:g}" width="{TILE_WIDTH}" height="{TILE_HEIGHT}" rx="5" fill="#ffffff"'
            f' stroke="{app.color}" stroke-opacity="0.55"/>'
        )
        name = room.partition(".")[2]
        squeezed = f' textLength="{TILE_WIDTH - 14}" lengthAdjust="spacingAndGlyphs"' if len(name) > 15 else ""
        parts.append(f'<text x="{x + 8}" y="{y + 14:g}" class="room"{squeezed}>{name}</text>')
        parts.append(f'<text x="{x + TILE_WIDTH - 7}" y="{y + 26:g}" class="size">{sizes[room]}</text>')
        imported = {other.partition(".")[0] for other in edges[room]} - {app.name}
        for number, name in enumerate(name for name in colors if name in imported):
            parts.append(
                f'<rect x="{x + 8 + number * 10}" y="{y + 19:g}" width="7" height="7" rx="1.5" fill="{colors[name]}">'
                f"<title>imports {name}</title></rect>"
            )
    return parts


def _line(begin: tuple[float, float], end: tuple[float, float]) -> str:
    x1, y1 = begin[0] + TILE_WIDTH, begin[1] + TILE_HEIGHT / 2
    x2, y2 = end[0], end[1] + TILE_HEIGHT / 2
    bend = max(14, (x2 - x1) / 3)
    return f'<path d="M{x1:g} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2:g} {y2:g}" class="line"/>'


def _columns(app: str, order: list[list[str]], edges: Edges) -> list[list[str]]:
    """Return the app's rooms in columns: by its contract, or where it has none each behind all that import it."""
    rooms = {room for room in edges if room.startswith(f"{app}.")}
    if order:
        columns = [[f"{app}.{name}" for name in layer if f"{app}.{name}" in rooms] for layer in order]
        return [column for column in columns if column]
    depth = dict.fromkeys(rooms, 0)
    for _each in rooms:
        for room in rooms:
            for other in edges[room] & rooms:
                depth[other] = max(depth[other], min(depth[room] + 1, len(rooms)))
    columns = [sorted(room for room in rooms if depth[room] == number) for number in sorted(set(depth.values()))]
    # Those that import nothing here stand on the left, out of the way of the others' lines.
    columns = [sorted(column, key=lambda room: bool(edges[room] & rooms)) for column in columns]
    return [column[begin : begin + MAX_ROWS] for column in columns for begin in range(0, len(column), MAX_ROWS)]


def _nearest(edges: Edges) -> Edges:
    """Return the edges without those that a longer way makes superfluous."""
    reached = {room: _reached(room, edges) for room in edges}
    return {
        room: {other for other in others if not any(other in reached[third] for third in others - {other})}
        for room, others in edges.items()
    }


def _reached(room: str, edges: Edges) -> set[str]:
    found: set[str] = set()
    waiting = [room]
    while waiting:
        fresh = edges.get(waiting.pop(), set()) - found
        found |= fresh
        waiting += fresh
    return found


def _room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def _names(layer: str) -> list[str]:
    return re.split(r"\s*[|:]\s*", layer)


if __name__ == "__main__":
    sys.exit(main())
