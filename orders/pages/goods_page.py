"""What the page of delivered goods shows: some of the lines at once, and which of them are reported."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.core.paginator import Page, Paginator
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from orders.columns import Goods
from orders.columns.goods import Line
from orders.columns.reading import Whole
from orders.lifecycle.line_numbers import spans_of
from orders.models import ClaimAnswer, GoodsClaim, Order

State = GoodsClaim.State
LINES_PER_PAGE = 100
TONES = {State.WAITING: "warn", State.REPLACED: "good", State.REFUNDED: "good", State.REFUSED: "bad"}
COPIED_AT_ONCE = 1_000  # lines; more of them would make the page heavy, and a file holds them better


@dataclass(frozen=True)
class ShownLine:
    """A line as it stands on the page."""

    line: Line
    claim: GoodsClaim | None
    why: str

    @property
    def tone(self) -> str:
        """The tone of the badge that says how its report stands."""
        return TONES[State(self.claim.state)] if self.claim else ""


@dataclass(frozen=True)
class Settled:
    """Lines of a report that have the same answer, or none yet."""

    lines: str
    several: bool
    label: str
    tone: str
    answer: ClaimAnswer | None


@dataclass(frozen=True)
class Report:
    """Lines that were reported together, and what we answered about which of them."""

    lines: str
    several: bool
    first: GoodsClaim
    parts: list[Settled]

    @property
    def as_one(self) -> bool:
        """Whether all its lines stand alike."""
        return len(self.parts) == 1


def page_of(goods: Goods, asked: str | None, claims: Sequence[GoodsClaim]) -> tuple[Page[Line], list[ShownLine]]:
    """Return the page of lines that is asked for, and what is shown of each; without a page it is the first one."""
    page = Paginator(goods.lines, LINES_PER_PAGE).get_page(asked)
    reported = {claim.line: claim for claim in claims}
    return page, [ShownLine(line, reported.get(line.number), _why(line)) for line in page]


def all_lines(goods: Goods) -> SafeString | None:
    """Return what "Copy all" copies, None where that would be too much."""
    return goods.copied if 1 < len(goods.lines) <= COPIED_AT_ONCE else None


def claims_of(order: Order) -> list[GoodsClaim]:
    """Return what was reported of an order's goods, with the answers; one query."""
    return list(order.goods_claims.select_related("answer"))


def reports_of(claims: Sequence[GoodsClaim]) -> list[Report]:
    """Return what was reported, the newest report first. The claims come with their answers."""
    together: dict[object, list[GoodsClaim]] = {}
    for claim in claims:
        together.setdefault(claim.claimed_at, []).append(claim)
    return [
        Report(spans_of(claim.line for claim in rows), len(rows) > 1, rows[0], _parts(rows))
        for _moment, rows in sorted(together.items(), key=lambda item: str(item[0]), reverse=True)
    ]


def _parts(claims: Sequence[GoodsClaim]) -> list[Settled]:
    together: dict[int | None, list[GoodsClaim]] = {}
    for claim in sorted(claims, key=lambda claim: claim.line):
        together.setdefault(claim.answer_id, []).append(claim)
    return [
        Settled(
            lines=spans_of(claim.line for claim in rows),
            several=len(rows) > 1,
            label=rows[0].get_state_display(),
            tone=TONES[State(rows[0].state)],
            answer=rows[0].answer,
        )
        for rows in together.values()
    ]


def _why(line: Line) -> str:
    """Return in words why a line stays whole; nothing where it is read, or where nobody knows how it should be."""
    if line.why is None:
        return ""
    if line.why == Whole.FEWER:
        return _("Shown whole: it has fewer fields than expected.")
    if line.why == Whole.SEVERAL_WAYS:
        return _("Shown whole: it could be read in more than one way.")
    if line.why == Whole.TOO_LONG:
        return _("Shown whole: it is very long.")
    return _("Shown whole: it doesn't fit the format.")
