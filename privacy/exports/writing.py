"""Writing the file: a zip with JSON and CSV of every table, a batch of rows at a time.

However much a customer has bought, no more than a batch is in memory: JSON goes straight into the zip, CSV beside it
into a file without a name, and from there into the zip, which writes one file after the other.
"""

import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation

from accounts.csv_export import CsvLines
from accounts.models import User
from preferences.face import STORE_NAME
from preferences.keeping import EXPORTS_KEPT
from privacy.exports.files import FILE_MODE
from privacy.registry import TABLES
from privacy.registry.kinds import Export, Table
from upstream.money import text_from_micros

ROWS_AT_ONCE = 500
COPIED_CHARACTERS = 1 << 15
MICROS = "_micros"
# After every batch: how many rows have been written since the last time.
Told = Callable[[int], None]


def exported_tables() -> list[Table]:
    """Return the tables that a file is made of."""
    return [table for table in TABLES if isinstance(table.export, Export)]


def count_rows(user: User) -> int:
    """Return how many rows there are to write at this moment."""
    return sum(table.of(user).filter(_export(table).only).count() for table in exported_tables())


def write_export(user: User, path: Path, *, now: datetime, told: Told) -> None:
    """Write everything about the customer to `path`, which must not exist; `told` hears of every batch.

    What `told` raises ends it; the half file is the caller's to remove.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    with os.fdopen(descriptor, "wb") as file, ZipFile(file, "w", ZIP_DEFLATED) as archive:
        with translation.override(user.mail_language):
            words = {"user": user, "now": now, "store_name": STORE_NAME.value, "currency": settings.STORE_CURRENCY}
            words["days"] = EXPORTS_KEPT.value.days
            archive.writestr("README.txt", render_to_string("privacy/export_readme.txt", words))
        for table in exported_tables():
            _write_table(archive, table, user, path.parent, told)


def _write_table(archive: ZipFile, table: Table, user: User, folder: Path, told: Told) -> None:
    export, csv = _export(table), CsvLines()
    with tempfile.TemporaryFile("w+", encoding="utf-8", newline="", dir=folder) as lines:
        with archive.open(f"{export.name}.json", "w", force_zip64=True) as raw, _text(raw) as text:
            titles = [title.removesuffix(MICROS) for title in export.titles]
            lines.write(csv.head(titles))
            text.write("[")
            between = "\n"
            for batch in _batches(table, user):
                for row in batch:
                    text.write(between + json.dumps(row, ensure_ascii=False, default=str))
                    lines.write(csv.line(_cell(value) for value in row.values()))
                    between = ",\n"
                told(len(batch))
            text.write("\n]\n")
        lines.flush()
        lines.seek(0)
        with archive.open(f"{export.name}.csv", "w", force_zip64=True) as raw, _text(raw) as text:
            while part := lines.read(COPIED_CHARACTERS):
                text.write(part)


def _batches(table: Table, user: User) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows some at a time, oldest first; what is added meanwhile comes along at the end."""
    export, after = _export(table), None
    rows = table.of(user).filter(export.only).order_by("pk")
    while True:
        ahead = rows if after is None else rows.filter(pk__gt=after)
        found = list(ahead.values_list("pk", *export.lookups)[:ROWS_AT_ONCE])
        if not found:
            return
        yield [_row(export, values) for _pk, *values in found]
        after = found[-1][0]


def _row(export: Export, values: list[Any]) -> dict[str, Any]:
    row = dict(zip(export.titles, values, strict=True))
    if export.opened:
        row = export.opened(row)
    return {title.removesuffix(MICROS): _plain(title, value) for title, value in row.items()}


def _plain(title: str, value: Any) -> Any:
    """Money as a plain decimal of the shop's currency, moments in UTC; everything else as it is."""
    if title.endswith(MICROS) and isinstance(value, int):
        return text_from_micros(value)
    if isinstance(value, dict):
        return {key.removesuffix(MICROS): _plain(key, inner) for key, inner in value.items()}
    return value.isoformat() if isinstance(value, datetime | date) else value


def _cell(value: Any) -> Any:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    return json.dumps(value, ensure_ascii=False, default=str) if isinstance(value, dict | list) else value


def _export(table: Table) -> Export:
    if not isinstance(table.export, Export):
        raise TypeError(f"{table.model} is not exported")
    return table.export


def _text(raw: IO[bytes]) -> closing[TextIOWrapper]:
    return closing(TextIOWrapper(raw, encoding="utf-8", newline="", write_through=True))
