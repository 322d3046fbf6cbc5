"""Sealing: what goes in comes out, keys can be changed, and nothing else opens it."""

import pytest
from cryptography.fernet import Fernet

from accounts.encryption import (
    CannotUnseal,
    is_sealed_with_the_newest_key,
    reseal,
    seal,
    unseal,
)

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
SECRET = "mail@example.com:pässwörd:\n----"


def test_unseal_when_sealed_here_then_gives_the_text_back():
    sealed = seal(SECRET)

    assert unseal(sealed) == SECRET
    assert sealed.isascii()
    assert "example" not in sealed


def test_seal_when_the_same_text_is_sealed_twice_then_it_looks_different():
    assert seal(SECRET) != seal(SECRET)


def test_unseal_when_a_new_key_was_put_in_front_then_still_opens(settings):
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    sealed = seal(SECRET)
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]

    assert unseal(sealed) == SECRET
    assert not is_sealed_with_the_newest_key(sealed)


def test_reseal_when_the_old_key_is_taken_away_then_only_the_resealed_opens(settings):
    settings.FIELD_ENCRYPTION_KEYS = [OLD]
    before = seal(SECRET)
    settings.FIELD_ENCRYPTION_KEYS = [NEW, OLD]
    after = reseal(before)
    settings.FIELD_ENCRYPTION_KEYS = [NEW]

    assert unseal(after) == SECRET
    with pytest.raises(CannotUnseal) as refusal:
        unseal(before)
    assert before not in str(refusal.value)


@pytest.mark.parametrize("damaged", ["", "not sealed", "gAAAAA"])
def test_unseal_when_the_text_is_damaged_then_says_so(damaged):
    with pytest.raises(CannotUnseal):
        unseal(damaged)
