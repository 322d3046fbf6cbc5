"""Migrations of a running shop: what would break it is found before, and nobody waits long behind one."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from tests.storefront.settings_source import ROOT
from tests.storefront.test_layers import APPS

INDEX = "models.Index(fields=['amount_micros'], name='planted')"
CHECK = "models.CheckConstraint(condition=models.Q(amount_micros__lt=10**15), name='planted')"
BREAKS = {
    "migrations.AddField('wallet', 'points', models.IntegerField(default=0))": "NOT NULL constraint on columns",
    "migrations.RenameField('ledgerentry', 'note', 'remark')": "RENAMING columns",
    "migrations.RemoveField('ledgerentry', 'remark')": "DROPPING columns",
    f"migrations.AddIndex('ledgerentry', {INDEX})": "CREATE INDEX locks table",
    f"migrations.AddConstraint('ledgerentry', {CHECK})": "ADD CONSTRAINT looks through the table while it is locked",
}
HOLDS = [
    "migrations.AddField('wallet', 'points', models.IntegerField(db_default=0))",
    "migrations.AddField('wallet', 'points', models.IntegerField(null=True))",
    f"AddIndexWithoutLock('ledgerentry', {INDEX})",
    f"AddConstraintWithoutLock('ledgerentry', {CHECK})",
]
MIGRATION = """
from django.db import migrations, models
from accounts.online_migrations import AddConstraintWithoutLock, AddIndexWithoutLock

class Migration(migrations.Migration):
    atomic = False
    dependencies = [("wallet", "{after}")]
    operations = [{operation}]
"""


def test_lint_migrations_when_they_would_break_a_running_shop_then_they_are_reported(tmp_path: Path) -> None:
    for app in APPS:
        shutil.copytree(ROOT / app, tmp_path / app, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "tests/provision", tmp_path / "tests/provision")
    (tmp_path / "tests/__init__.py").touch()
    names = sorted(migration.stem for migration in (tmp_path / "wallet/migrations").glob("0*.py"))
    after = names[-1]
    for number, operation in enumerate([*HOLDS[:1], *BREAKS, *HOLDS[1:]], start=len(names) + 1):
        name = f"{number:04}_planted"
        # They follow each other, so each plants a column or a constraint of its own.
        text = MIGRATION.format(after=after, operation=operation.replace("points", f"points_{number}"))
        (tmp_path / f"wallet/migrations/{name}.py").write_text(text.replace("'planted'", f"'planted_{number}'"))
        after = name

    checked = subprocess.run(
        [sys.executable, "-m", "tests.provision.lint_migrations"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "DOTENV": os.devnull, "SECRET_KEY": "tools", "DEBUG": "true"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert checked.returncode == 1, checked.stdout + checked.stderr
    report = [part for part in checked.stdout.split("(wallet, ") if "_planted)" in part]
    assert [part.split(")")[1].split()[1] for part in report] == ["OK", *["ERR"] * len(BREAKS), *["OK"] * 3], report
    for part, message in zip(report[1:], BREAKS.values(), strict=False):
        assert message in part
    assert 'See "How to change a table" in CONTRIBUTING.md.' in checked.stdout


@pytest.fixture
def planted(tmp_path: Path, settings, monkeypatch) -> Iterator[None]:
    """A second migration of notifications, which is taken back afterwards."""
    package = tmp_path / "planted_migrations"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "0001_initial.py").write_text(
        "import importlib\nMigration = importlib.import_module('notifications.migrations.0001_initial').Migration\n"
    )
    change = "migrations.RunSQL('ALTER TABLE notifications_notice ADD COLUMN planted int', {back!r})"
    text = MIGRATION.replace("wallet", "notifications").format(
        after="0001_initial", operation=change.format(back="ALTER TABLE notifications_notice DROP COLUMN planted")
    )
    (package / "0002_planted.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    settings.MIGRATION_MODULES = {"notifications": "planted_migrations"}
    settings.MIGRATION_LOCK_TIMEOUT_SECONDS = 0.2
    yield
    call_command("migrate", "notifications", "0001", stdout=StringIO())


def columns() -> set[str]:
    with connection.cursor() as cursor:
        return {
            column.name for column in connection.introspection.get_table_description(cursor, "notifications_notice")
        }


@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "postgresql", reason="about PostgreSQL's locks")
def test_migrate_when_a_table_is_in_use_then_it_gives_up_and_can_be_run_again(planted: None) -> None:
    params = {**connection.get_connection_params(), "cursor_factory": psycopg.Cursor}
    with psycopg.connect(**params) as reader:
        reader.execute("SELECT count(*) FROM notifications_notice")  # its transaction stays open: a long report
        with pytest.raises(CommandError, match=r"in use for more than 0\.2 s"):
            call_command("migrate", "notifications", stdout=StringIO())
        assert "planted" not in columns()

    call_command("migrate", "notifications", stdout=StringIO())

    assert "planted" in columns()
    with connection.cursor() as cursor:
        cursor.execute("SHOW lock_timeout")
        assert cursor.fetchone() == ("0",)


@pytest.mark.sqlite
@pytest.mark.django_db(transaction=True)
@pytest.mark.skipif(connection.vendor != "sqlite", reason="about SQLite")
def test_migrate_when_the_database_knows_no_such_limit_then_it_migrates(planted: None) -> None:
    call_command("migrate", "notifications", stdout=StringIO())

    assert "planted" in columns()
