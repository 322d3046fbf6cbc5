"""`manage.py createsuperuser`: Django's own, with an address that counts as confirmed.

Whoever sits at this terminal owns the shop already, and its mail may not work yet: they set it up once they are in.
"""

from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.management.commands import createsuperuser
from django.core.management import CommandError
from django.db import transaction

from accounts.models import User


class Command(createsuperuser.Command):
    help = "Creates an owner of the shop, whose e-mail address counts as confirmed."

    def handle(self, *args: Any, **options: Any) -> None:
        """Create the owner with their address, or neither. Raises CommandError."""
        with transaction.atomic():
            before = set(User.objects.filter(is_superuser=True).values_list("pk", flat=True))
            super().handle(*args, **options)
            for user in User.objects.filter(is_superuser=True).exclude(pk__in=before):
                _confirm(user)


def _confirm(user: User) -> None:
    others = EmailAddress.objects.filter(email__iexact=user.email, verified=True).exclude(user=user)
    if (other := others.select_related("user").first()) is not None:
        raise CommandError(
            f"{user.email} is confirmed as a further address of the account {other.user}, so no owner was created. "
            "Take another address, or remove it from that account first."
        )
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
