"""`manage.py rotate_keys`: seal everything with the newest key, so that the older ones can be taken away."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.encryption import CannotUnseal
from api.webhooks.operations import reseal_webhooks
from orders.lifecycle.goods import reseal_goods


class Command(BaseCommand):
    help = "Seals every secret with the first of FIELD_ENCRYPTION_KEYS. Afterwards the others are not needed any more."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            goods, webhooks = reseal_goods(), reseal_webhooks()
        except CannotUnseal as error:
            raise CommandError(f"A secret stays as it is: {error}. Is an older key missing?") from error
        self.stdout.write(f"Delivered goods: {goods} sealed anew.")
        self.stdout.write(f"Webhooks: {webhooks} sealed anew.")
