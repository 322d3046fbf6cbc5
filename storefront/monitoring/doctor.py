"""Is everything there that the shop needs? One finding a part, in words an admin can act on.

`manage.py doctor` tells them in a terminal, the set-up of a new shop on its page (storefront/set_up/).
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings
from django.core import mail
from django.core.mail.backends.smtp import EmailBackend
from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django_redis import get_redis_connection

from orders.fulfilment.clock_skew import skew_of
from preferences.change import broken
from preferences.registry import declared
from storefront.monitoring import backups, connections, deployment, readiness
from storefront.monitoring.background import PARTS as BACKGROUND
from storefront.monitoring.deployment import Trouble, Unwise
from storefront.monitoring.health import pending_migrations, tasks_waiting
from storefront.monitoring.remedies import REMEDIES
from upstream.client import default_client

CLOCK_TOLERANCE_SECONDS = 5.0
ANSWERED_SECONDS = 8  # somebody waits: on a page, or before a terminal


class EmptyAccount(Trouble):
    """Nothing can be bought upstream until money is added there; everything else works."""


@dataclass(frozen=True)
class Finding:
    """What was found out about one part of the shop."""

    part: str
    well: bool
    text: str
    only_warns: bool = False  # not well, and yet nothing that a shop waits for which has not opened
    severity: str = "ok"  # "warning": the shop works, but somebody should look; "trouble": something does not work

    @property
    def remedy(self) -> str:
        """What to do; "" where all is well."""
        return "" if self.well else str(REMEDIES[self.part])


def examine(parts: Iterable[str], *, also_in_private: bool = False) -> Iterator[Finding]:
    """Yield a finding for each of these PARTS, as soon as it is known; no trouble with one hides the others.

    `also_in_private`: ask what only matters where strangers reach the shop, wherever it is.
    """
    questions = {**PARTS, **readiness.PARTS, "staff": deployment.staff_factors} if also_in_private else PARTS
    for part in parts:
        try:
            yield Finding(part, True, questions[part]())
        except Exception as error:  # any error is the finding
            text = " ".join(str(error).split()) or type(error).__name__
            severity = "warning" if isinstance(error, Unwise) else "trouble"
            yield Finding(part, False, text, only_warns=isinstance(error, EmptyAccount), severity=severity)


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT version()" if connection.vendor == "postgresql" else "SELECT sqlite_version()")
        version = cursor.fetchone()[0]
    if pending := pending_migrations():
        words = ngettext(
            "%(count)d migration is pending, %(name)s; run manage.py migrate",
            "%(count)d migrations are pending, the first is %(name)s; run manage.py migrate",
            len(pending),
        )
        raise Trouble(words % {"count": len(pending), "name": pending[0]})
    named = {"name": connection.display_name, "version": version.removeprefix("PostgreSQL ").split(" ")[0]}
    return _("%(name)s %(version)s, migrations applied") % named


def _redis() -> str:
    server = get_redis_connection("default")
    started = time.perf_counter()
    server.ping()
    milliseconds = (time.perf_counter() - started) * 1000
    return _("version %(version)s, answers in %(milliseconds)s ms, %(count)d tasks wait") % {
        "version": server.info("server")["redis_version"],
        "milliseconds": f"{milliseconds:.1f}",
        "count": tasks_waiting(),
    }


def _upstream() -> str:
    account = default_client(timeout_seconds=ANSWERED_SECONDS).balance()
    said = {"balance": account.balance, "currency": account.currency, "set": settings.UPSTREAM_CURRENCY}
    if account.currency.upper() != settings.UPSTREAM_CURRENCY:
        raise Trouble(_("the account is kept in %(currency)s, but UPSTREAM_CURRENCY is %(set)s") % said)
    if account.balance <= 0:
        raise EmptyAccount(_("the key is accepted, but the balance is %(balance)s %(currency)s") % said)
    return _("the key is accepted, balance %(balance)s %(currency)s") % said


def _clock() -> str:
    seconds, microseconds = get_redis_connection("default").time()
    differences = {"Redis": seconds + microseconds / 1e6 - time.time()}
    if connection.vendor == "postgresql":
        differences[_("the database")] = -skew_of().total_seconds()
    for name, difference in differences.items():
        if abs(difference) > CLOCK_TOLERANCE_SECONDS:
            raise Trouble(
                _("the clock of %(name)s is %(difference)s s off this machine's")
                % {"name": name, "difference": f"{difference:+.1f}"}
            )
    return _("agrees with %(names)s") % {"names": ", ".join(differences)}


def _email() -> str:
    deployment.examined_in_public(deployment.mail_settings)()
    with mail.get_connection(timeout=ANSWERED_SECONDS) as backend:  # connects and signs in
        if isinstance(backend, EmailBackend):
            return _("%(server)s accepts us") % {"server": f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}"}
        return _("not sent anywhere: %(name)s backend") % {"name": type(backend).__module__.rpartition(".")[2]}


def _preferences() -> str:
    if found := broken():
        said = "; ".join(f"{name}: {why}" for name, why in found.items())
        raise Unwise(
            _("stored and not usable, so the defaults hold: %(names)s; the admin's page puts a former value back")
            % {"names": said}
        )
    return _("%(count)d declared, what is stored can be read") % {"count": len(declared())}


PARTS: dict[str, Callable[[], str]] = {
    "database": _database,
    **connections.PARTS,
    "redis": _redis,
    "upstream": _upstream,
    **BACKGROUND,
    "clock": _clock,
    "e-mail": _email,
    "preferences": _preferences,
    "backups": backups.last_backup,
    **deployment.PARTS,
    **{name: deployment.examined_in_public(question) for name, question in readiness.PARTS.items()},
}
