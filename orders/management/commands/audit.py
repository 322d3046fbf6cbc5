"""`manage.py audit`: print the books; exit 1 when something in them does not add up."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from orders.accounting.audit import audit
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
        findings = audit(client=client, now=timezone.now(), everything=options["all"])
        width = max(len(name) for name, _ in findings.figures)
        for name, value in findings.figures:
            self.stdout.write(f"{name:<{width}}  {value:>20}")
        for problem in findings.problems:
            self.stdout.write(self.style.ERROR(f"✗ {problem}"))
        if findings.problems:
            raise SystemExit(1)
        self.stdout.write(self.style.SUCCESS("✓ the books add up"))
