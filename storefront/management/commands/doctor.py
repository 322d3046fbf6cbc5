"""`manage.py doctor`: is everything there that the shop needs, does it hold, and what to do where it does not?"""

import json
import logging
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from storefront.monitoring.doctor import PARTS, Finding, examine

# As programs that watch expect it of what they call: 0 is well, 1 a warning, 2 trouble.
EXITS = {"ok": 0, "warning": 1, "trouble": 2}


class Command(BaseCommand):
    help = (
        "Checks database, Redis, upstream, beat, seldom jobs, the audit, limits, clock, e-mail and preferences, how "
        "the shop is deployed, and whether it is ready to sell: what it found, and what to do. "
        "Exits 0 where all is well, 1 where somebody should look at something, 2 on trouble."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", choices=PARTS, help="look at one part alone")
        parser.add_argument("--json", action="store_true", dest="as_json", help="print a list of findings for programs")

    def handle(self, *args: Any, only: str | None, as_json: bool, **options: Any) -> None:
        found = []
        logging.disable(logging.CRITICAL)  # what is wrong is said in the findings, and once is enough
        try:
            for finding in examine([only] if only else list(PARTS)):
                found.append(finding)
                if not as_json:
                    self._tell(finding)
        finally:
            logging.disable(logging.NOTSET)
        if as_json:
            self.stdout.write(_as_json(found))
        if status := max(EXITS[finding.severity] for finding in found):
            sys.exit(status)

    def _tell(self, finding: Finding) -> None:
        word = {
            "ok": self.style.SUCCESS("ok     "),
            "warning": self.style.WARNING("WARNING"),
            "trouble": self.style.ERROR("TROUBLE"),
        }[finding.severity]
        self.stdout.write(f"{finding.part:<12}{word}  {finding.text}")
        if finding.remedy:
            self.stdout.write(f"{'':<21}→ {finding.remedy}")


def _as_json(found: list[Finding]) -> str:
    rows = [{"part": one.part, "severity": one.severity, "text": one.text, "remedy": one.remedy} for one in found]
    return json.dumps(rows, ensure_ascii=False, indent=2)
