"""Bringing a backup back: into an empty database alone, and only after all of it was proved."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from accounts.models import User
from storefront.backups.locked import new_key
from storefront.backups.take import take_backup
from tests.storefront.backups.conftest import empty_database, manage, moved_to

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def taken(backups, ann: User) -> Path:
    return Path(backups.to) / take_backup(now=timezone.now()).name


def refused(taken: Path, identity: Path) -> str:
    """Why it was not brought back."""
    with pytest.raises(CommandError) as refusal:
        call_command("restore", str(taken), "--identity", str(identity), stderr=StringIO())
    return str(refusal.value)


def test_restore_into_an_empty_database_brings_everything_back_paused(taken: Path, identity, tmp_path, ann) -> None:
    with empty_database(tmp_path) as url:
        done = manage("restore", str(taken), "--identity", str(identity[0]), url=url)

        assert done.returncode == 0, done.stderr
        assert "Forwarding is paused" in done.stdout
        ask = (
            "from accounts.models import User; from orders.models import ForwardingPause as P;"
            "from storefront.models import Backup as B;"
            "print(list(User.objects.values_list('email', flat=True)), P.objects.get().reason, B.objects.get().error)"
        )
        found = manage("shell", "-v", "0", "-c", ask, url=url).stdout
        assert found.split() == f"['{ann.email}'] restored was being taken when this database was dumped".split()


def test_restore_into_a_database_in_use_is_refused_and_nothing_is_touched(taken: Path, identity) -> None:
    assert refused(taken, identity[0]).startswith("The database is not empty: it has")

    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "damage",
    [lambda whole: whole[:-40], lambda whole: whole[:900] + b"!" + whole[901:]],
    ids=["cut", "changed"],
)
def test_restore_of_a_damaged_file_leaves_the_database_empty(taken: Path, identity, tmp_path, damage) -> None:
    taken.write_bytes(damage(taken.read_bytes()))
    with empty_database(tmp_path) as url, moved_to(url):
        noted = refused(taken, identity[0])
        Path(f"{taken}.json").unlink()
        alone = refused(taken, identity[0])

        assert "its SHA-256 is not the one in" in noted
        assert "It is damaged: a part of it is missing or was changed" in alone
        assert connection.introspection.table_names() == []


def test_restore_with_another_key_says_so(taken: Path, tmp_path) -> None:
    other = tmp_path / "other.txt"
    other.write_text(new_key()[0])

    with empty_database(tmp_path) as url, moved_to(url):
        assert "cannot be decrypted with this key" in refused(taken, other)


def test_restore_check_proves_a_backup_beside_a_database_in_use(taken: Path, identity) -> None:
    said = StringIO()

    call_command("restore", str(taken), "--check", "--identity", str(identity[0]), stdout=said)

    assert said.getvalue() == f"{taken.name} was read to its end, and is whole.\n"
    assert User.objects.count() == 1
