"""Seeds of apps and of recovery codes stand in no row in the clear, and follow the keys."""

import importlib
from io import StringIO

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet
from django.apps import apps
from django.core import mail
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.encryption import CannotDecrypt, decrypt
from accounts.models import TrailEntry, User
from accounts.security.factors_at_rest import is_encrypted
from notifications.letters import send_letters
from tests.conftest import SEED, second_factor
from tests.security.factors import code, sign_in_with_factor
from tests.security.signing_in import is_signed_in, letters_to, sign_in

pytestmark = pytest.mark.django_db
MIGRATION = importlib.import_module("accounts.migrations.0006_factors_at_rest")
CODES_SEED = "0123456789abcdef" * 5


def in_the_clear(user: User) -> None:
    """Rows as they were before the migration."""
    Authenticator.objects.create(user=user, type="totp", data={"secret": SEED})
    Authenticator.objects.create(user=user, type="recovery_codes", data={"seed": CODES_SEED, "used_mask": 5})
    Authenticator.objects.create(user=user, type="webauthn", data={"name": "Key", "credential": {"id": "x"}})


def rows() -> dict[str, dict]:
    return dict(Authenticator.objects.values_list("type", "data"))


def test_a_factor_that_is_set_up_leaves_no_seed_in_the_database(client: Client, ann: User) -> None:
    TOTP.activate(ann, SEED)
    codes = RecoveryCodes.activate(ann)

    stored = str(rows())
    assert SEED not in stored
    assert decrypt(rows()["totp"]["secret"]) == SEED
    assert decrypt(rows()["recovery_codes"]["seed"]) not in stored
    sign_in(client, ann)
    client.post(reverse("mfa_authenticate"), {"code": codes.get_unused_codes()[0]})
    assert is_signed_in(client)


def test_the_migration_encrypts_what_is_there_once_and_leads_back(client: Client, ann: User) -> None:
    in_the_clear(ann)
    before = rows()

    MIGRATION.encrypt_what_is_there(apps, None)
    encrypted = rows()
    MIGRATION.encrypt_what_is_there(apps, None)

    assert rows() == encrypted
    assert SEED not in str(encrypted)
    assert CODES_SEED not in str(encrypted)
    assert encrypted["webauthn"] == before["webauthn"]
    assert encrypted["recovery_codes"]["used_mask"] == 5
    sign_in(client, ann)
    client.post(reverse("mfa_authenticate"), {"code": code()})
    assert is_signed_in(client)

    MIGRATION.decrypt_what_is_there(apps, None)
    assert rows()["totp"] == before["totp"]
    assert rows()["recovery_codes"] == before["recovery_codes"]


def test_codes_that_another_program_made_are_encrypted_one_by_one(ann: User) -> None:
    data = {"migrated_codes": ["11111111", "22222222"], "used_mask": 0}
    factor = Authenticator.objects.create(user=ann, type="recovery_codes", data=data)

    MIGRATION.encrypt_what_is_there(apps, None)

    factor.refresh_from_db()
    assert all(is_encrypted(one) for one in factor.data["migrated_codes"])
    assert RecoveryCodes(factor).get_unused_codes() == ["11111111", "22222222"]


def test_rotate_keys_encrypts_factors_with_the_newest_key(client: Client, ann: User, settings) -> None:
    second_factor(ann)
    RecoveryCodes.activate(ann)
    old = settings.FIELD_ENCRYPTION_KEYS
    new = Fernet.generate_key().decode()
    settings.FIELD_ENCRYPTION_KEYS = [new, *old]

    said = StringIO()
    call_command("rotate_keys", stdout=said)
    assert "Second factors: 2 encrypted anew." in said.getvalue()

    settings.FIELD_ENCRYPTION_KEYS = [new]
    sign_in_with_factor(client, ann)
    assert is_signed_in(client)
    said = StringIO()
    call_command("rotate_keys", stdout=said)
    assert "Second factors: 0 encrypted anew." in said.getvalue()


def test_rotate_keys_without_the_older_key_says_so(ann: User, settings) -> None:
    second_factor(ann)
    settings.FIELD_ENCRYPTION_KEYS = [Fernet.generate_key().decode()]

    with pytest.raises(CommandError, match="Is an older key missing"):
        call_command("rotate_keys", stdout=StringIO())


def test_a_seed_that_somebody_wrote_into_the_database_lets_nobody_in(client: Client, ann: User) -> None:
    in_the_clear(ann)
    sign_in(client, ann)

    with pytest.raises(CannotDecrypt):
        client.post(reverse("mfa_authenticate"), {"code": code()})
    assert not is_signed_in(client)


# --- The command of whoever runs the shop ---


def test_reset_factors_removes_them_ends_the_sessions_and_tells(client: Client, sam: User) -> None:
    sign_in_with_factor(client, sam)
    RecoveryCodes.activate(sam)
    send_letters()
    mail.outbox.clear()

    said = StringIO()
    call_command("reset_factors", " SAM@example.com ", stdout=said)

    assert "removed recovery_codes, totp" in said.getvalue()
    assert not Authenticator.objects.exists()
    assert not is_signed_in(client)
    [letter] = letters_to(sam.email)
    assert "Your second factor was removed" in letter
    assert "From the address" not in letter
    entry = TrailEntry.objects.get(action=TrailEntry.Action.FACTORS)
    assert (entry.actor_id, entry.actor, entry.target) == (None, "command line", sam.email)


@pytest.mark.parametrize(
    ("email", "words"), [("nobody@example.com", "Nobody has the address"), ("ann@example.com", "no second")]
)
def test_reset_factors_when_there_is_nothing_to_remove_says_so(ann: User, email: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("reset_factors", email)
