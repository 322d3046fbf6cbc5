"""`manage.py rotate_keys`: encrypt everything with the newest key, so that the older ones can be taken away."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.encryption import CannotDecrypt
from accounts.security.factors_at_rest import reencrypt_factors
from api.webhooks.operations import reencrypt_webhooks
from notifications.letters import reencrypt_letters
from orders.lifecycle.goods import reencrypt_goods
from sms.operations import reencrypt_codes


class Command(BaseCommand):
    help = (
        "Encrypts every secret with the first of FIELD_ENCRYPTION_KEYS. Afterwards the others are not needed any more."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            goods, webhooks, letters = reencrypt_goods(), reencrypt_webhooks(), reencrypt_letters()
            factors = reencrypt_factors()
            codes = reencrypt_codes()
        except CannotDecrypt as error:
            raise CommandError(f"A secret stays as it is: {error}. Is an older key missing?") from error
        self.stdout.write(f"Delivered goods: {goods} encrypted anew.")
        self.stdout.write(f"Webhooks: {webhooks} encrypted anew.")
        self.stdout.write(f"Codes and messages of numbers: {codes} encrypted anew.")
        self.stdout.write(f"Letters that wait to be sent: {letters} encrypted anew.")
        self.stdout.write(f"Second factors: {factors} encrypted anew.")
