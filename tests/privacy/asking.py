"""Having an export prepared and reading it, and a customer who may go."""

import csv
import json
from dataclasses import replace
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from zipfile import ZipFile

from django.utils import timezone

from accounts.models import User
from privacy.exports.files import path_of
from privacy.exports.operations import prepare_exports, request_export
from privacy.models import DataExport
from tests.wallet.paying import start
from wallet.models import LedgerEntry, TopUp
from wallet.operations import balance_of, debit


def with_privacy(settings: Any, **changed: Any) -> None:
    """Change settings of privacy for a test."""
    settings.PRIVACY = replace(settings.PRIVACY, **changed)


def prepared(user: User) -> DataExport:
    """Ask for an export and let a worker write it."""
    export = request_export(user, now=timezone.now())
    prepare_exports(clock=timezone.now)
    export.refresh_from_db()
    return export


def read(export: DataExport) -> dict[str, Any]:
    """Return what the JSON files hold, by their names; every CSV has as many rows."""
    found = {}
    with ZipFile(path_of(export.file_name)) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        for name in (name for name in names if name.endswith(".json")):
            rows = json.loads(archive.read(name))
            text = archive.read(name.replace(".json", ".csv")).decode("utf-8-sig")
            assert len(list(csv.DictReader(StringIO(text)))) == len(rows), name
            found[name.removesuffix(".json")] = rows
        found["README"] = archive.read("README.txt").decode()
    return found


def without_money(user: User) -> User:
    """Take everything out of the wallet, as a withdrawal does."""
    amount_micros = balance_of(user)
    if amount_micros:
        debit(user=user, amount_micros=amount_micros, kind=LedgerEntry.Kind.WITHDRAWAL, reference="paid out")
    return user


def much_later() -> datetime:
    """A day after every deletion that was asked for is due."""
    return timezone.now() + timedelta(days=15)


def given_up(user: User) -> TopUp:
    """A payment that was begun at Stripe and then no longer waited for, though it can still be paid."""
    top_up = start(user, "stripe")
    TopUp.objects.filter(pk=top_up.pk).update(status=TopUp.Status.EXPIRED, next_check_at=None)
    return top_up
