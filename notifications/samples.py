"""Samples of every mail, made of invented data: each app declares those of its own, and the admin shows them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from django.utils.functional import Promise

from accounts.models import User
from notifications.kinds import KINDS, Kind


@dataclass(frozen=True)
class Sample:
    """A mail as it may be.

    `make` returns subject and text for an invented reader, in the language that is active; it writes and sends nothing.
    `name` is part of an address: lower-case letters, digits, hyphens. A sample of the kind `security` is a letter.
    """

    name: str
    kind: str
    title: str | Promise
    make: Callable[[User], tuple[str, str]]


_declared: dict[str, Sample] = {}


def declare_samples(samples: Iterable[Sample]) -> None:
    """Let the admin show these. Raises ValueError for an unknown kind."""
    for sample in samples:
        if sample.kind not in KINDS:
            raise ValueError(f"{sample.name} is of no kind: {sample.kind}")
        _declared[sample.name] = sample


def samples() -> list[Sample]:
    """Return all samples, in the order of their kinds."""
    order = list(KINDS)
    return sorted(_declared.values(), key=lambda sample: order.index(sample.kind))


def told_kinds() -> list[Kind]:
    """Return the kinds of which there is a sample, which are those that customers are told anything of."""
    told = {sample.kind for sample in _declared.values()}
    return [kind for kind in KINDS.values() if kind.name in told]


def sample_named(name: str) -> Sample | None:
    """Return the sample of this name."""
    return _declared.get(name)
