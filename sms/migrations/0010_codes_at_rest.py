"""Codes and messages that are stored already are encrypted, some at a time, while the shop sells.

Each row is written by itself and only if it still says what was read, so nobody waits and nothing that changes
meanwhile is lost. An attempt that was interrupted goes on where it was: what is encrypted already stays as it is. The
columns remain texts, so the version before can still write: what it writes until it is gone, the new one encrypts (see
sms/operations/at_rest.py). Codes that it reads in that time it shows encrypted.
"""

from typing import Any

from django.db import migrations

from accounts.batches import rewrite_texts
from accounts.encrypted_fields import EncryptedTextField
from accounts.encryption import decrypt, encrypt, looks_encrypted


def seal(apps: Any, schema_editor: Any) -> None:
    rewrite_all(apps, lambda text: text if looks_encrypted(text) else encrypt(text))


def unseal(apps: Any, schema_editor: Any) -> None:
    rewrite_all(apps, lambda text: decrypt(text) if looks_encrypted(text) else text)


def rewrite_all(apps: Any, rewrite: Any) -> None:
    """Go through the texts of both columns; here the model of the state before has plain ones."""
    numbers = apps.get_model("sms", "Number").objects
    for column in ("code", "content"):
        rewrite_texts(numbers.exclude(**{column: ""}), column, rewrite)


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
