"""Every key of the shop is changed, end to end: afterwards the former ones are needed for nothing."""

import re
from io import StringIO

import pyrage
import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from cryptography.fernet import Fernet
from django.apps import apps
from django.core import signing
from django.core.management import call_command
from django.db import connection
from django.db.models import Field
from django.test import Client

from accounts.encrypted_fields import EncryptedTextField
from accounts.encryption import encrypt
from accounts.models import User
from api.models import Webhook, WebhookDelivery
from notifications.letters import write_letter
from orders.models import DeliveredGoods
from sms.models import Number
from storefront.backups.locked import Counted, lock, new_key, unlock
from tests.conftest import second_factor
from tests.storefront.admin_rows import make_rows

pytestmark = pytest.mark.django_db
TOKEN = re.compile(r"gAAAAA[\w-]{20,}={0,2}")


def sealed_fields() -> list[Field]:
    """Every column that holds what is encrypted: by its type, or by its name."""
    return [
        field
        for model in apps.get_models()
        if not model._meta.proxy
        for field in model._meta.local_concrete_fields
        if isinstance(field, EncryptedTextField) or field.name.split("_")[-1] == "encrypted"
    ]


def tokens_in(table: str, columns: str = "*") -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM {connection.ops.quote_name(table)}")  # noqa: S608 - our own tables
        return TOKEN.findall(" ".join(str(value) for row in cursor.fetchall() for value in row))


@pytest.fixture
def sealed(ann: User) -> None:
    """A row of every kind that is sealed."""
    make_rows(1)
    DeliveredGoods.objects.update(encrypted=encrypt('["rosa:1234"]'))
    Webhook.objects.update(secret_encrypted=encrypt("secret"), old_secret_encrypted=encrypt("old secret"))
    WebhookDelivery.objects.update(body_encrypted=encrypt("{}"))
    write_letter(address=ann.email, subject="Hello", body="A link")
    number = Number.objects.first()
    number.code, number.content = "1234", "Your code is 1234"
    number.save()
    second_factor(ann)
    RecoveryCodes.activate(ann)


def test_field_keys_when_they_are_rotated_then_no_row_of_any_table_needs_the_former(sealed: None, settings) -> None:
    for field in sealed_fields():
        assert tokens_in(field.model._meta.db_table, field.column), f"no row with {field}: add one to the fixture"
    new = Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [new, *settings.FIELD_ENCRYPTION_KEYS]

    call_command("rotate_keys", stdout=StringIO())

    tables = connection.introspection.table_names()
    found = [(table, token) for table in tables for token in tokens_in(table)]
    alone = Fernet(new)
    assert len(found) >= len(sealed_fields()) + 2  # and the second factors
    for table, token in found:
        assert alone.decrypt(token.encode()), table


def test_secret_key_when_it_is_rotated_then_sessions_and_links_live_until_the_former_is_taken_away(
    client: Client, ann: User, settings
) -> None:
    away = Client()
    for each in (client, away):
        each.force_login(ann)
    link = signing.dumps({"user": ann.pk})
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-" + 50 * "y"

    assert signing.loads(link) == {"user": ann.pk}
    assert client.get("/wallet/").status_code == 200

    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(signing.BadSignature):
        signing.loads(link)
    assert client.get("/wallet/").status_code == 200  # signed anew by its visit meanwhile
    assert away.get("/wallet/").status_code == 302


def test_backup_key_when_it_is_rotated_then_both_open_what_is_locked_meanwhile(tmp_path) -> None:
    (former, former_public), (newer, newer_public) = new_key(), new_key()
    source, locked, opened = tmp_path / "plain", tmp_path / "locked", tmp_path / "opened"
    source.write_bytes(b"x" * 100_000)

    with source.open("rb") as plain, locked.open("wb") as file:
        lock(plain, Counted(file), (newer_public, former_public))

    for secret in (former, newer):
        with locked.open("rb") as file, opened.open("wb") as plain:
            unlock(file, plain, [pyrage.x25519.Identity.from_str(secret)])
        assert opened.read_bytes() == source.read_bytes()
