"""Where the set-up stands: which steps are settled, and which one is next."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from preferences.doors import SET_UP_DONE
from storefront.models import SetUpStep
from storefront.monitoring.doctor import examine
from storefront.set_up.steps import STEPS, Step

State = SetUpStep.State
TO_DO = "todo"


@dataclass(frozen=True)
class Standing:
    """A step, what became of it and in which words."""

    step: Step
    state: str
    said: str = ""
    at: datetime | None = None

    @property
    def is_settled(self) -> bool:
        """Whether the shop may open as far as this goes."""
        return self.state in (State.DONE, State.SKIPPED)


def is_open() -> bool:
    """Whether the shop is still being set up; seldom a query."""
    return not SET_UP_DONE.value


def standings() -> list[Standing]:
    """Return how every step stands. What the database alone knows is looked at anew; nobody outside is asked."""
    rows = {row.name: row for row in SetUpStep.objects.all()}
    return [_standing(step, rows) for step in STEPS]


def next_step(found: list[Standing]) -> Standing | None:
    """Return the first one that is not settled."""
    return next((one for one in found if not one.is_settled), None)


def ask(step: Step) -> tuple[bool, str]:
    """Ask what a step is about, whoever has to answer; return whether it is settled, and what was found."""
    findings = list(examine(step.parts, also_in_private=True))
    troubles = [one for one in findings if not one.well and not one.only_warns]
    named = len(step.parts) > 1
    said = [f"{one.part}: {one.text}" if named else one.text for one in troubles or findings]
    return not troubles, "\n".join(said)


def _standing(step: Step, rows: Mapping[str, SetUpStep]) -> Standing:
    row = rows.get(step.name)
    if step.is_seen:
        well, said = ask(step)
        if well:
            return Standing(step, State.DONE, said)
        if row is not None and row.state == State.SKIPPED:
            return Standing(step, State.SKIPPED, said, row.at)
        return Standing(step, TO_DO, said)
    return Standing(step, TO_DO) if row is None else Standing(step, row.state, row.said, row.at)
