"""The shop under fire, for as long as you like: `python -m bench.chaos --minutes 10 --seed 7`.

Web, workers, beat, Valkey, PostgreSQL and the sandbox run as real processes; every fault strikes and all of them but
this one are killed at random, while customers order from many threads. Afterwards the books and the orders have to be
right. Exits 1 when anything is lost, doubled, stuck or unaccounted for.
"""

import argparse
import json
import sys
from pathlib import Path

from bench.load_test.run import Plan, Report, run
from upstream.sandbox.profiles import PROFILES


def main() -> int:
    """Run one load test with faults, print what happened, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0, help="how long faults and kills last (1)")
    parser.add_argument("--seed", type=int, default=1, help="of the dice: victims, faults, customers (1)")
    parser.add_argument("--customers", type=int, default=8, help="threads that order (8)")
    parser.add_argument("--per-second", type=float, default=6.0, help="orders in all that they try to place (6)")
    parser.add_argument("--workers", type=int, default=3, help="Celery workers (3)")
    parser.add_argument(
        "--profile", action="append", dest="profiles", metavar="NAME", choices=list(PROFILES),
        help=f"the supplier's manners while the faults last, several perhaps: {', '.join(PROFILES)}",
    )  # fmt: skip
    parser.add_argument("--sqlite", action="store_true", help="on SQLite, which nobody can kill")
    parser.add_argument("--json", type=Path, help="write the report into this file too")
    parser.add_argument("--folder", type=Path, help="keep logs and data in this new folder, to look at afterwards")
    options = parser.parse_args()
    plan = Plan(
        seconds=60 * options.minutes,
        seed=options.seed,
        customers=options.customers,
        per_second=options.per_second,
        workers=options.workers,
        sqlite=options.sqlite,
        profiles=tuple(options.profiles or ()),
        folder=options.folder,
    )
    report = run(plan, log=lambda text: print(text, flush=True))
    show(report)
    if options.json:
        options.json.write_text(json.dumps(report.as_dict()))
    return 1 if report.problems else 0


def show(report: Report) -> None:
    """Print a report."""
    for name, value in report.as_dict().items():
        if name != "problems":
            print(f"{name.replace('_', ' '):<18}{_words(value)}")
    for problem in report.problems:
        print(f"✗ {problem}")
    if not report.problems:
        print("✓ every order exists upstream exactly once, or was refunded exactly once, or waits for a human")


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in sorted(value.items()))
    return str(value)


if __name__ == "__main__":
    sys.exit(main())
