"""Encryption: what goes in comes out, keys can be changed, and nothing else opens it."""

import pytest
from cryptography.fernet import Fernet

from accounts.encryption import (
    CannotDecrypt,
    decrypt,
    encrypt,
    is_encrypted_with_newest_key,
    reencrypt,
)

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SECRET = "mail@example.com:pässwörd:\n----"


def test_decrypt_when_encrypted_here_then_gives_the_text_back():
    encrypted = encrypt(SECRET)

    assert decrypt(encrypted) == SECRET
    assert encrypted.isascii()
    assert "example" not in encrypted


def test_encrypt_when_the_same_text_is_encrypted_twice_then_it_looks_different():
    assert encrypt(SECRET) != encrypt(SECRET)


def test_decrypt_when_a_new_key_was_put_in_front_then_still_opens(settings):
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    encrypted = encrypt(SECRET)
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]

    assert decrypt(encrypted) == SECRET
    assert not is_encrypted_with_newest_key(encrypted)


def test_reencrypt_when_the_old_key_is_taken_away_then_only_the_reencrypted_opens(settings):
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    before = encrypt(SECRET)
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    after = reencrypt(before)
    settings.FIELD_ENCRYPTION_KEYS = [NEW]

    assert decrypt(after) == SECRET
    with pytest.raises(CannotDecrypt) as refusal:
        decrypt(before)
    assert before not in str(refusal.value)


@pytest.mark.parametrize("damaged", ["", "not encrypted", "gAAAAA"])
def test_decrypt_when_the_text_is_damaged_then_says_so(damaged):
    with pytest.raises(CannotDecrypt):
        decrypt(damaged)
