"""`manage.py after_restore`: what to run after the database came back from a backup, before workers start again."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.trail import Action, record
from orders.reconciliation.restore import declare_restored


class Command(BaseCommand):
    help = "Pause forwarding and treat every unsent order as perhaps sent, until it is reconciled."

    def handle(self, *args: Any, **options: Any) -> None:
        made_unknown = declare_restored(now=timezone.now())
        record(Action.COMMAND, actor=None, after={"command": "after_restore", "orders": made_unknown})
        self.stdout.write(f"Forwarding is paused; {made_unknown} orders wait to be reconciled (Admin → Orders).")
