"""The ids among which an order may lie that was sent and never answered, as a picture: where what was found stands."""

from dataclasses import dataclass
from typing import Any

WIDTH = 640
MARGIN = 40
CLOSEST = 50  # the numbers of marks nearer to each other than this stand in rows
BELOW, ROW = 48, 18


@dataclass(frozen=True)
class Mark:
    """An upstream order in the picture; `fits` what was sent, or not."""

    id: int
    x: int
    row: int
    fits: bool

    @property
    def y(self) -> int:
        """Where its number stands, below the line."""
        return BELOW + ROW * self.row


@dataclass(frozen=True)
class WindowPicture:
    """The range drawn as a line from `x_first` to `x_last`; open ones end in an arrow."""

    first: int
    last: int | None
    marks: list[Mark]

    x_first = MARGIN
    x_last = WIDTH - MARGIN
    width = WIDTH

    @property
    def height(self) -> int:
        """How high it is: as many rows as the marks need."""
        return BELOW + ROW * (1 + max((mark.row for mark in self.marks), default=0))


def picture_of(evidence: dict[str, Any]) -> WindowPicture | None:
    """Return the picture of what reconciliation found, None where the range has no beginning or nothing in it."""
    window = evidence.get("window") or {}
    first, last = window.get("first"), window.get("last")
    if first is None or (last is not None and last < first):
        return None
    found = [(int(one["id"]), bool(one.get("matches"))) for one in evidence.get("candidates", ())]
    end = max(
        [last if last is not None else evidence.get("asked_until") or first, *(number for number, _fits in found)]
    )
    marks: list[Mark] = []
    for number, fits in sorted(found):
        x = MARGIN + round((WIDTH - 2 * MARGIN) * (number - first) / max(end - first, 1))
        x = max(MARGIN, min(x, WIDTH - MARGIN))
        row = marks[-1].row + 1 if marks and x - marks[-1].x < CLOSEST else 0
        marks.append(Mark(number, x, row, fits))
    return WindowPicture(first, last, marks)
