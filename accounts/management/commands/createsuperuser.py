"""`manage.py createsuperuser`: Django's own, with an address that counts as confirmed.

Whoever sits at this terminal owns the shop already, and its mail may not work yet: they set it up once they are in.
"""

from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.auth.management.commands import createsuperuser

from accounts.models import User


class Command(createsuperuser.Command):
    help = "Creates an owner of the shop, whose e-mail address counts as confirmed."

    def handle(self, *args: Any, **options: Any) -> None:
        before = set(User.objects.filter(is_superuser=True).values_list("pk", flat=True))
        super().handle(*args, **options)
        for user in User.objects.filter(is_superuser=True).exclude(pk__in=before):
            EmailAddress.objects.update_or_create(
                user=user, email=user.email, defaults={"verified": True, "primary": True}
            )
