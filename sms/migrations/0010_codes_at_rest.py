"""Codes and messages that are stored already are encrypted, some at a time, while the shop sells.

Each statement writes a few hundred rows, and each row only if it still says what was read: who writes one of them waits
for some milliseconds at most, and nothing that changes meanwhile is lost. An attempt that was interrupted goes on where
it was: what is encrypted already stays as it is. The columns remain texts, so the version before can still write: what
it writes until it is gone, the new one encrypts (see sms/operations/at_rest.py). Codes that the version before reads in
that time it shows encrypted.
"""

from collections.abc import Callable
from typing import Any

from django.db import migrations
from django.db.models import Q

from accounts.batches import spans
from accounts.encrypted_fields import EncryptedTextField
from accounts.encryption import decrypt, encrypt, looks_encrypted

# PostgreSQL and SQLite both call the columns of VALUES so.
WRITE = """
    UPDATE sms_number SET code = new.column4, content = new.column5 FROM (VALUES {rows}) AS new
    WHERE id = new.column1 AND code = new.column2 AND content = new.column3"""


def seal(apps: Any, schema_editor: Any) -> None:
    rewrite_all(apps, schema_editor, lambda text: text if looks_encrypted(text) or not text else encrypt(text))


def unseal(apps: Any, schema_editor: Any) -> None:
    rewrite_all(apps, schema_editor, lambda text: decrypt(text) if looks_encrypted(text) else text)


def rewrite_all(apps: Any, schema_editor: Any, rewrite: Callable[[str], str]) -> None:
    """Go through the texts of both columns; to the model of the state before they are plain ones."""
    told = apps.get_model("sms", "Number").objects.exclude(Q(code="") & Q(content=""))
    for after, last in spans(told):
        rows = told.filter(pk__gt=after, pk__lte=last).values_list("pk", "code", "content")
        new = [(*row, rewrite(row[1]), rewrite(row[2])) for row in rows]
        values = [value for row in new if row[1:3] != row[3:] for value in row]
        if values:
            marks = ", ".join(["(%s, %s, %s, %s, %s)"] * (len(values) // 5))
            schema_editor.connection.cursor().execute(WRITE.format(rows=marks), values)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("sms", "0009_wider_codes")]

    operations = [
        migrations.RunPython(seal, unseal),
        # For the database both are texts.
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.AlterField(
                    "number", "code", EncryptedTextField(blank=True, editable=False, verbose_name="code")
                ),
                migrations.AlterField(
                    "number", "content", EncryptedTextField(blank=True, editable=False, verbose_name="message")
                ),
            ]
        ),
    ]
