"""Faults by name: what the sandbox does wrong, on the next calls or on a share of them."""

import random
import threading
from collections import Counter
from typing import Any

# name → the options it takes
FAULTS: dict[str, frozenset[str]] = {
    "slow": frozenset({"seconds"}),  # carried out, and answered, after the delay
    "refuse": frozenset({"text", "status"}),  # not carried out
    "429": frozenset({"text"}),  # not carried out
    "500_before": frozenset({"text"}),  # not carried out
    "500_after": frozenset({"text"}),  # carried out
    "lose_request": frozenset({"reset"}),  # not carried out, the connection closed without an answer
    "lose_reply": frozenset({"reset"}),  # carried out, the connection closed without an answer
    "half_body": frozenset({"reset"}),  # carried out, half of the body sent, then closed
    "garbage": frozenset({"text"}),  # carried out, answered with 200 and a body that is not JSON
    "refuse_connections": frozenset({"seconds"}),  # nobody listens; without seconds until cleared
}


class Fault:
    """One fault that waits for its calls: the next `times` of `action`, or a share `rate` of them."""

    def __init__(
        self, name: str, *, action: str | None, times: int | None, rate: float | None, options: dict[str, Any]
    ) -> None:
        self.name = name
        self.action = action
        self.times = times
        self.rate = rate
        self.options = options

    def shown(self) -> dict[str, Any]:
        """Return the fault as the control endpoint lists it."""
        return {
            "name": self.name,
            "action": self.action,
            "times": self.times,
            "rate": self.rate,
            **self.options,
        }


class Faults:
    """The faults that are set. Faults for the next call go first; rates are drawn from a seeded generator."""

    def __init__(self, seed: int) -> None:
        self._lock = threading.Lock()
        self.struck: Counter[str] = Counter()  # calls that failed since the start, by the fault's name
        self.clear(seed)

    def clear(self, seed: int | None = None) -> None:
        """Forget all faults; with a seed, start the draws of rates anew."""
        with self._lock:
            self._waiting: list[Fault] = []
            if seed is not None:
                self._rng = random.Random(f"faults:{seed}")

    def add(
        self,
        name: str,
        *,
        action: str | None = None,
        times: int | None = None,
        rate: float | None = None,
        **options: Any,
    ) -> None:
        """Set a fault for the next `times` calls (one when neither is given) or for a share `rate` (0 to 1) of them.

        Raises ValueError for an unknown name or option, and for times or a rate out of range.
        """
        unknown = set(options) - FAULTS.get(name, frozenset())
        if name not in FAULTS or unknown:
            raise ValueError(f"no such fault: {name} {' '.join(sorted(unknown))}".strip())
        if rate is None:
            times = 1 if times is None else int(times)
            if times < 1:
                raise ValueError("times: at least 1")
        elif times is not None or not 0 <= float(rate) <= 1:
            raise ValueError("rate: from 0 to 1, and without times")
        with self._lock:
            self._waiting.append(Fault(name, action=action, times=times, rate=rate, options=options))

    def take(self, action: str) -> Fault | None:
        """Return the fault that strikes this call of `action`, if one does, and count it down."""
        with self._lock:
            fault = self._drawn(action)
            if fault is not None:
                self.struck[fault.name] += 1
            return fault

    def _drawn(self, action: str) -> Fault | None:
        matching = [fault for fault in self._waiting if fault.action in (None, action)]
        for fault in matching:
            if fault.times is not None:
                fault.times -= 1
                if not fault.times:
                    self._waiting.remove(fault)
                return fault
        for fault in matching:
            if fault.rate is not None and self._rng.random() < fault.rate:
                return fault
        return None

    def listed(self) -> list[dict[str, Any]]:
        """Return the faults that still wait."""
        with self._lock:
            return [fault.shown() for fault in self._waiting]
