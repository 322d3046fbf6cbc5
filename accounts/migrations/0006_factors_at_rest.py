"""Seeds of authenticator apps and recovery codes are encrypted; those that are there already, too."""

from typing import Any

from django.db import migrations

from accounts.security.factors_at_rest import decrypt_factors, encrypt_factors


def encrypt_what_is_there(apps: Any, schema_editor: Any) -> None:
    encrypt_factors(apps.get_model("mfa", "Authenticator"))


def decrypt_what_is_there(apps: Any, schema_editor: Any) -> None:
    decrypt_factors(apps.get_model("mfa", "Authenticator"))


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0005_the_trail"),
        ("mfa", "0003_authenticator_type_uniq"),
    ]

    operations = [migrations.RunPython(encrypt_what_is_there, decrypt_what_is_there)]
