"""`manage.py roles`: put the ready-made roles right, and say what each has; `migrate` does so, too."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from storefront.roles import keep_the_roles


class Command(BaseCommand):
    help = "Gives the roles Owner, Finance, Catalog and Support exactly the rights that docs/operations.md lists."

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        for role in keep_the_roles():
            self.stdout.write(f"{role.name}: {role.count} rights")
            for word, names in (("given", role.given), ("taken away", role.taken)):
                for name in names:
                    self.stdout.write(f"  {word}: {name}")
