"""Processor time of processes and everything they have started, as the kernel counts it (see proc(5), stat)."""

import os
from collections.abc import Mapping
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class Tree:
    """A process and its descendants, those that have ended and were waited for included."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def seconds(self) -> float:
        """Return the processor seconds used so far; of a tree that has ended, 0."""
        return sum(_fields(pid)[1] for pid in family(self.pid)) / TICKS

    def memory_mb(self) -> float:
        """Return what all of them hold in memory; what several share counts once (see proc(5), smaps_rollup: Pss)."""
        return sum(_kilobytes(pid) for pid in family(self.pid)) / 1024


def family(pid: int) -> list[int]:
    """Return this process and all its descendants that live."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        parent, _used = _fields(int(entry.name))
        children.setdefault(parent, []).append(int(entry.name))
    found, seen = [], [pid]
    while seen:
        found.append(seen.pop())
        seen += children.get(found[-1], [])
    return found


def spent(before: Mapping[str, float], after: Mapping[str, float]) -> dict[str, float]:
    """Return the seconds by part between two looks."""
    return {name: after[name] - before.get(name, 0.0) for name in after}


def busy_seconds() -> float:
    """Return how long this machine's processors have been busy, all of them together, with whatever."""
    user, nice, system, _idle, _wait, interrupts, soft, *_more = map(
        int, Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    )
    return (user + nice + system + interrupts + soft) / TICKS


def _fields(pid: int) -> tuple[int, int]:
    """Return the parent, and the ticks of the process, its threads and the children it has waited for."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:  # it has ended meanwhile
        return 0, 0
    return int(fields[1]), sum(map(int, fields[11:15]))


def _kilobytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
