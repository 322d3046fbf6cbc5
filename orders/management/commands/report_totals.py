"""`manage.py report_totals`: reckon the totals of the reports that are due, or all of them anew."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from orders.accounting.daily_totals.keeping import behind, keep_totals, note_changes, reckon_everything_again

STEP_SECONDS = 5.0  # between two lines of how far it is


class Command(BaseCommand):
    help = "Reckon the totals that reports are read from. Stopped at any time, it goes on when it is called again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--rebuild", action="store_true", help="all of them anew, not only those that have changed")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["rebuild"]:
            reckon_everything_again()
        else:
            note_changes()
        reckoned = 0
        while True:
            reckoned += keep_totals(now=timezone.now(), seconds=STEP_SECONDS)
            left = behind(now=timezone.now())
            self.stdout.write(f"{reckoned} spans reckoned, {left} to go")
            if not left:
                break
        self.stdout.write(self.style.SUCCESS("✓ the totals are those of the books"))
