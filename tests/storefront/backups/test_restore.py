"""Bringing a backup back: into an empty database alone, and only after all of it was proved."""

from pathlib import Path

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import User
from storefront.backups.take import take_backup
from tests.storefront.backups.conftest import empty_database, manage
from tests.workers import database_url

pytestmark = [pytest.mark.sqlite, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def taken(backups, ann: User) -> Path:
    return Path(backups.to) / take_backup(now=timezone.now()).name


def tables(url: str) -> str:
    return manage(
        "shell", "-v", "0", "-c", "from django.db import connection as c; print(c.introspection.table_names())", url=url
    ).stdout


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
    done = manage("restore", str(taken), "--identity", str(identity[0]), url=database_url())

    assert done.returncode == 1
    assert "The database is not empty: it has" in done.stderr
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda whole: whole[:-40], "its SHA-256 is not the one"),
        (lambda whole: whole[:900] + b"!" + whole[901:], "its SHA-256 is not the one"),
    ],
    ids=["cut", "changed"],
)
def test_restore_of_a_damaged_file_leaves_the_database_empty(taken: Path, identity, tmp_path, damage, said) -> None:
    taken.write_bytes(damage(taken.read_bytes()))
    with empty_database(tmp_path) as url:
        noted = manage("restore", str(taken), "--identity", str(identity[0]), url=url)
        Path(f"{taken}.json").unlink()
        alone = manage("restore", str(taken), "--identity", str(identity[0]), url=url)

        assert said in noted.stderr
        assert "It is damaged: a part of it is missing or was changed" in alone.stderr
        assert (noted.returncode, alone.returncode) == (1, 1)
        assert tables(url).strip() == "[]"


def test_restore_with_another_key_says_so(taken: Path, tmp_path) -> None:
    from storefront.backups.locked import new_key

    other = tmp_path / "other.txt"
    other.write_text(new_key()[0])
    with empty_database(tmp_path) as url:
        done = manage("restore", str(taken), "--identity", str(other), url=url)

    assert (done.returncode, "cannot be decrypted with this key" in done.stderr) == (1, True)


def test_restore_check_proves_a_backup_beside_a_database_in_use(taken: Path, identity) -> None:
    done = manage("restore", str(taken), "--check", "--identity", str(identity[0]), url=database_url())

    assert (done.returncode, done.stdout) == (0, f"{taken.name} was read to its end, and is whole.\n")
    assert connection.introspection.table_names()
