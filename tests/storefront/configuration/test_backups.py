"""Where backups go: a place that cannot be one is refused by name, and beat makes them only where there is one."""

import pytest

from storefront.backups.locked import new_key
from tests.storefront.configuration.test_settings import load

PUBLIC = new_key()[1]


@pytest.mark.parametrize("place", ["backups", "ftp://host/backups", "s3://", "s3:///folder/"])
def test_place_that_cannot_be_one_is_refused(place: str) -> None:
    loaded = load(BACKUP_TO=place, BACKUP_RECIPIENTS=PUBLIC)

    assert loaded.returncode == 1
    assert "BACKUP_TO is" in loaded.stderr


def test_place_with_a_key_is_taken() -> None:
    assert load(BACKUP_TO="s3://bucket/shop", BACKUP_RECIPIENTS=PUBLIC).returncode == 0
