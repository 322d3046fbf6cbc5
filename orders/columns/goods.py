"""The goods of an order as a table: the format that fits, every line by it, and each line whole as it came."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import structlog
from django.db.models import Q
from django.utils.functional import cached_property
from django.utils.html import escape, strip_tags
from django.utils.safestring import SafeString, mark_safe

from catalog.models import Fact, Service
from orders.columns.formats import COMMON_SEPARATORS, Format, FormatRefused, Source, declared_formats, read_format
from orders.columns.guess import LOOKED_AT, guess_format
from orders.columns.names import is_secret, label_of
from orders.columns.reading import Values, Whole, read_labeled, read_line
from orders.models import GoodsFormat, Order

log = structlog.get_logger(__name__)
# How much is looked at to find out which format fits: lines and descriptions are a stranger's, and pages wait for it.
MOST_TRIED = 20  # formats
LONGEST_SAMPLE = 100_000  # characters of all lines together


@dataclass(frozen=True)
class Cell:
    """A value of a line, and the column it stands in."""

    column: str
    text: str

    @property
    def label(self) -> str:
        return label_of(self.column)

    @property
    def secret(self) -> bool:
        return is_secret(self.column)

    @property
    def copied(self) -> SafeString:
        return as_attribute(self.text)


@dataclass(frozen=True)
class Line:
    """One delivered line, counted from 1: `raw` as it came, and its cells; without cells `why` it stays whole.

    `why` is None where nobody knows how the goods are written.
    """

    number: int
    raw: str
    cells: tuple[Cell, ...]
    why: Whole | None

    @property
    def copied(self) -> SafeString:
        return as_attribute(self.raw)

    @property
    def values(self) -> Values:
        return {cell.column: cell.text for cell in self.cells}


@dataclass(frozen=True)
class Goods:
    """All lines of an order, and the format they were read by, if any."""

    lines: list[Line]
    format: Format | None

    @cached_property
    def columns(self) -> list[str]:
        """Every column that some line has: those of the format first."""
        known = dict.fromkeys(self.format.columns if self.format else ())
        used = dict.fromkeys(cell.column for line in self.lines for cell in line.cells)
        return [column for column in {**known, **used} if column in used]

    @property
    def labels(self) -> list[str]:
        """What readers see above the columns."""
        return [label_of(column) for column in self.columns]

    @property
    def whole(self) -> int:
        """How many lines do not fit the format."""
        return sum(1 for line in self.lines if line.why is not None)

    @property
    def is_guess(self) -> bool:
        return self.format is not None and self.format.source == Source.GUESS

    @property
    def copied(self) -> SafeString:
        """All lines as they came, one below the other."""
        return as_attribute("\n".join(line.raw for line in self.lines))


def read_goods(order: Order, texts: Sequence[str]) -> Goods:
    """Read the delivered texts of an order, in their order; one query for staff's rules.

    Needs the order's service loaded. A rule of staff's decides alone; else whatever is declared and fits the most lines
    does; else a guess.
    """
    ruled = _rule_for(order)
    format_ = ruled or _best([*_declared_for(order), *_guessed(texts)], texts)
    return Goods([_line(number, text, format_) for number, text in enumerate(texts, start=1)], format_)


def as_attribute(text: str) -> SafeString:
    """Return text for an attribute that loses nothing: a browser would turn a carriage return into a line feed."""
    return mark_safe(escape(text).replace("\r", "&#13;"))  # noqa: S308 - it has just been escaped


def _line(number: int, raw: str, format_: Format | None) -> Line:
    values = read_labeled(raw)
    if values is None and format_ is not None:
        found = read_line(format_, raw)
        if isinstance(found, Whole):
            return Line(number, raw, (), found)
        values = found
    return Line(number, raw, tuple(Cell(column, text) for column, text in (values or {}).items()), None)


def _rule_for(order: Order) -> Format | None:
    service = order.service
    if service is None:
        return None
    rules = GoodsFormat.objects.filter(Q(service=service) | Q(category=service.home_category_id))
    for rule in sorted(rules, key=lambda rule: rule.service_id is None):
        try:
            return read_format(rule.columns, rule.separator)
        except FormatRefused:
            log.warning("goods_format_unreadable", rule_id=rule.pk)
    return None


def _declared_for(order: Order) -> Iterator[Format]:
    """What was said where the goods were sold, the surest first: staff's fact, the title then, the service now."""
    service = order.service
    if service is not None:
        yield from _of_fact(service.facts_override.get(Fact.FORMAT))
    yield from declared_formats(order.title)
    if service is not None:
        yield from _of_fact(service.facts.get(Fact.FORMAT))
        yield from _described(service)


def _of_fact(written: object) -> Iterator[Format]:
    if isinstance(written, str):
        try:
            format_ = read_format(written, source=Source.DECLARED)
        except FormatRefused:
            return
        if len(format_.columns) > 1:
            yield format_


def _described(service: Service) -> Iterator[Format]:
    for text in (service.description, service.upstream_description):
        if text:
            yield from declared_formats(strip_tags(text.replace("<br", "\n<br").replace("<p", "\n<p")))


def _guessed(texts: Sequence[str]) -> list[Format]:
    guess = guess_format(texts)
    return [guess] if guess else []


def _best(formats: Sequence[Format], texts: Sequence[str]) -> Format | None:
    """Return the format that fits most of the lines, or None; titles often part columns otherwise than lines do."""
    sample = _sample(texts)
    best, most = None, 0
    for written in list(dict.fromkeys(formats))[:MOST_TRIED]:
        otherwise = [] if written.source == Source.GUESS else [written.parted_by(one) for one in COMMON_SEPARATORS]
        for format_ in (written, *otherwise):
            fitting = sum(not isinstance(read_line(format_, text), Whole) for text in sample)
            if fitting > most:
                best, most = format_, fitting
        if most == len(sample):
            break
    return best


def _sample(texts: Sequence[str]) -> Sequence[str]:
    """Return the first lines, fewer where they are long; one at least."""
    lengths = accumulate(map(len, texts[:LOOKED_AT]))
    return texts[: max(1, sum(length <= LONGEST_SAMPLE for length in lengths))]
