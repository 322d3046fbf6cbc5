"""`manage.py doctor`: is everything there that the shop needs, and does it hold?"""

import logging
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from storefront.monitoring.doctor import PARTS, examine


class Command(BaseCommand):
    help = (
        "Checks database, Redis, upstream, beat, clock, e-mail and preferences, how the shop is deployed, and whether "
        "it is ready to sell: one line each, as the set-up's page tells it. Exits 1 on trouble."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--only", choices=PARTS, help="look at one part alone")

    def handle(self, *args: Any, only: str | None, **options: Any) -> None:
        well = True
        logging.disable(logging.CRITICAL)  # what is wrong is said in the findings, and once is enough
        try:
            for finding in examine([only] if only else list(PARTS)):
                word = self.style.SUCCESS("ok     ") if finding.well else self.style.ERROR("TROUBLE")
                self.stdout.write(f"{finding.part:<12}{word}  {finding.text}")
                well = well and finding.well
        finally:
            logging.disable(logging.NOTSET)
        if not well:
            sys.exit(1)
