"""`python -m tests.provision.lint_migrations`: what would the migrations break in a shop that is running?

While a new version is put in place the old one still writes, and a locked table stops everybody who buys. So a column
that old code knows nothing of needs a default in the database, nothing is renamed or removed in one step, and tables
that grow are changed as accounts/online_migrations.py does it; CONTRIBUTING.md tells how. The SQL is PostgreSQL's, from
a server of its own, which is started only where there is something to look at.
"""

import os
import re
import sys
from pathlib import Path

import django

from storefront.demo.processes import ChildFailed
from tests.provision.postgres import Postgres

ROOT = Path(__file__).resolve().parents[2]
# Where each app begins: there are no rows yet, and no code that writes them.
INITIAL = "0001_initial"
# What was looked at by a person and is right as it is, with the reason: {"0007_drop_old_note": "not read since 0.3.0"}.
LOOKED_AT: dict[str, str] = {
    "0004_charges_and_refusals": "indexes of the listed refusals and the pauses, of which there are dozens at most",
    "0008_payments_and_refunds_by_hand": "moves by hand, thousands at most; the old version's kinds keep their rule",
    "0009_wider_codes": "varchar to text: PostgreSQL writes no row anew, and the old version's texts fit",
    "0019_one_row_of_looks_a_day": "the old version leaves the day empty: no row of its breaks the constraint",
}
CHECK_OF_OLD_ROWS = re.compile(
    r'ALTER TABLE (?P<table>"[^"]+") ADD CONSTRAINT .*\b(CHECK|FOREIGN KEY)\b(?!.*NOT VALID)'
)


def main() -> int:
    """Print what is wrong with the migrations after the first ones; return 1 if there is anything, else 0."""
    later = [path for path in ROOT.glob("*/migrations/[0-9]*.py") if path.stem != INITIAL]
    if not later:
        print("No migrations after the first ones.")
        return 0
    try:
        with Postgres() as postgres:
            os.environ.update(DATABASE_URL=postgres.url, DJANGO_SETTINGS_MODULE="storefront.settings")
            django.setup()
            return _lint(apps=sorted({path.parts[-3] for path in later}))
    except ChildFailed as error:
        print(f"The migrations cannot be checked: {error}", file=sys.stderr)
        return 1


def _lint(*, apps: list[str]) -> int:
    from django_migration_linter import MigrationLinter  # its models need the settings
    from django_migration_linter.sql_analyser.base import Check, CheckMode, CheckType
    from django_migration_linter.sql_analyser.postgresql import PostgresqlAnalyser

    class Analyser(PostgresqlAnalyser):
        migration_checks = [  # the library's own way
            *PostgresqlAnalyser.migration_checks,
            Check(
                code="VALIDATED_CONSTRAINT",
                fn=looks_through_old_rows,
                message="ADD CONSTRAINT looks through the table while it is locked",
                mode=CheckMode.TRANSACTION,
                type=CheckType.ERROR,
            ),
        ]

    linter = MigrationLinter(
        include_apps=apps, ignore_name=[INITIAL, *LOOKED_AT], all_warnings_as_errors=True, quiet=["ignore"]
    )
    linter.sql_analyser_class = Analyser
    linter.lint_all_migrations()
    if linter.has_errors:
        print('See "How to change a table" in CONTRIBUTING.md.')
    return int(linter.has_errors)


def looks_through_old_rows(sql_statements: list[str], **_others: object) -> bool:
    """Say whether a constraint is put on a table that was there before, and its rows are looked through at once."""
    made = {match[1] for sql in sql_statements if (match := re.match(r'CREATE TABLE ("[^"]+")', sql))}
    found = [match for sql in sql_statements if (match := CHECK_OF_OLD_ROWS.match(sql))]
    return any(match["table"] not in made for match in found)


if __name__ == "__main__":
    sys.exit(main())
