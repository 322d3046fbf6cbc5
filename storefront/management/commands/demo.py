"""`manage.py demo`: the whole shop on this machine, against the sandbox."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from storefront.demo import plan
from storefront.demo.run import DemoFailed, run


class Command(BaseCommand):
    help = "Runs the whole shop on this machine, against the sandbox, until Ctrl-C. Its data stay in var/demo."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        plan.add_arguments(parser)

    def handle(
        self, *args: Any, folder: Path, port: int, services: int, profiles: list[str] | None, **options: Any
    ) -> None:
        # manage.py prepared the environment; on any other way here these could be the settings of a real shop.
        if connection.settings_dict["NAME"] != str(plan.database(folder)):
            raise CommandError("The demo is started with: manage.py demo")
        try:
            names = profiles or plan.usual_profiles()
            run(folder=folder.resolve(), port=port, services=services, profiles=names, say=self._say)
        except DemoFailed as error:
            raise CommandError(str(error)) from error

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()
