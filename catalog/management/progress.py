"""How a command shows a long piece of work: a bar on a terminal, a line per stage elsewhere."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

Shown = Callable[[str, int, int], None]

STAGES = {
    "services": "Asking for the catalog",
    "subcategories": "Asking who is in which subcategory",
    "comparing": "Comparing",
    "writing": "Writing",
}


@contextmanager
def shown_progress(out: Any, terminal: TextIO) -> Iterator[Shown]:
    """Yield a `progress(stage, done, total)` that draws bars on `terminal`, or writes a line per stage to `out`."""
    if not terminal.isatty():
        yield _lines(out)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=terminal)) as bars:
        yield _bars(bars)


def _bars(bars: Progress) -> Shown:
    tasks: dict[str, TaskID] = {}

    def show(stage: str, done: int, total: int) -> None:
        if stage not in tasks:
            tasks[stage] = bars.add_task(STAGES.get(stage, stage), total=total)
        bars.update(tasks[stage], completed=done, total=total)

    return show


def _lines(out: Any) -> Shown:
    def show(stage: str, done: int, total: int) -> None:
        if done == total:
            out.write(f"{STAGES.get(stage, stage)}: {done} of {total}.")

    return show
