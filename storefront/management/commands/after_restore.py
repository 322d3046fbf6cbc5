"""`manage.py after_restore`: what to run after the database came back from a backup, before workers start again."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from storefront.backups.afterwards import after_restore, checklist, payments_to_look_at
from storefront.backups.ids import MayNotSkip, NoRoomToJump


class Command(BaseCommand):
    help = "Pause forwarding, treat every unsent order as perhaps sent, and skip the numbers that were promised."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = after_restore(now=timezone.now())
        except (NoRoomToJump, MayNotSkip) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"Forwarding is paused; {done.made_unknown} orders wait to be reconciled (Admin → Orders).")
        self.stdout.write(f"The next order is #{done.next_order}: none of the numbers before it is given out again.")
        if done.receipts:
            self.stdout.write(f"Receipts {done.receipts} are given to nobody: lost ones may have these numbers.")
        self.stdout.write(f"Providers will be asked about {done.payments_asked_again} payments that were under way.")
        for line in payments_to_look_at(done.known_until):
            self.stdout.write(self.style.WARNING(line))
        self.stdout.write("\nNow:")
        for number, step in enumerate(checklist(done), start=1):
            self.stdout.write(f"{number:>2}. {step}")
