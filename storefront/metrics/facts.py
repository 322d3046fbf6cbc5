"""How things stand, for Prometheus: what each gauge is called, what it says, how often it is read at most.

A gauge is read from rows by statements that an index answers, whatever the size of the tables, and kept by the process
for as long as it says. Whoever adds one adds it to docs/watch.md; a test compares.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

Labels = dict[str, str]
Values = Iterable[tuple[Labels, float]]
MICROS = 1_000_000


@dataclass(frozen=True)
class Gauge:
    """One gauge: its name and text, and the labels that its values have."""

    name: str
    text: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True)
class Facts:
    """Gauges that are read together: `read` returns values by the gauge's name, for the moment it is given."""

    part: str
    gauges: tuple[Gauge, ...]
    read: Callable[[datetime], dict[str, Values]]
    kept_seconds: float = 10.0


def one(value: float) -> Values:
    """Return a value without labels."""
    return [({}, value)]


def by(label: str, values: dict[str, float], *, also: Iterable[str] = ()) -> Values:
    """Return a value for each of a label's values; those of `also` that are missing are 0."""
    return [({label: name}, value) for name, value in (dict.fromkeys(also, 0.0) | values).items()]
