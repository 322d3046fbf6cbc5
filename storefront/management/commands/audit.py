"""`manage.py audit`: print the books; exit 1 when something in them does not add up.

It is told as beat's is: it begins and ends what /metrics, `doctor` and the admins know of the books.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from storefront.monitoring.alerts import audit_and_tell
from upstream.client import default_client
from upstream.errors import Unavailable


class Command(BaseCommand):
    help = "Prove the books: balances, charges, refunds, and the money on the upstream account."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--offline", action="store_true", help="leave out upstream's own balance")
        parser.add_argument(
            "--all", action="store_true", help="compare the whole trail and every day, not the last ones"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        client = None
        if not options["offline"]:
            try:
                client = default_client()
            except Unavailable as error:
                self.stderr.write(str(error))
        findings = audit_and_tell(client=client, everything=options["all"], in_part=client is None)
        width = max(len(name) for name, _ in findings.figures)
        for name, value in findings.figures:
            self.stdout.write(f"{name:<{width}}  {value:>20}")
        for problem in findings.problems:
            self.stdout.write(self.style.ERROR(f"✗ {problem}"))
        if findings.problems:
            raise SystemExit(1)
        self.stdout.write(self.style.SUCCESS("✓ the books add up"))
