"""`manage.py resume`: let orders be sent again after a restore, and say what of it is left."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from accounts.trail import Action, record
from orders.models import ForwardingPause
from orders.reconciliation.restore import end_restore_pause
from storefront.backups.afterwards import what_is_left


class Command(BaseCommand):
    help = (
        "Ends the pause that after_restore began. Orders that may have been sent go on waiting until they are settled."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        if end_restore_pause(now=now):
            record(Action.COMMAND, actor=None, after={"command": "resume"})
            self.stdout.write("Orders are sent again.")
        else:
            self.stdout.write("Forwarding was not paused by a restore.")
        for pause in ForwardingPause.objects.filter(ended_at=None):
            self.stdout.write(self.style.WARNING(f"It is still paused: {pause.get_reason_display()}."))
        left = list(what_is_left(now))
        for line in left or ["Nothing is left of the restore."]:
            self.stdout.write(line)
