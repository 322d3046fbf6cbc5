"""The database itself refuses to change a ledger row, whoever asks: an admin, a script, a psql prompt."""

from django.db import migrations

POSTGRESQL = """
CREATE FUNCTION wallet_ledger_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'ledger rows are never edited or deleted'; END $$;
CREATE TRIGGER wallet_ledger_is_append_only BEFORE UPDATE OR DELETE ON wallet_ledgerentry
FOR EACH ROW EXECUTE FUNCTION wallet_ledger_is_append_only();
"""
POSTGRESQL_BACK = """
DROP TRIGGER wallet_ledger_is_append_only ON wallet_ledgerentry;
DROP FUNCTION wallet_ledger_is_append_only();
"""
# SQLite empties its tables between tests with DELETE, so there only the edit is refused.
SQLITE = """
CREATE TRIGGER wallet_ledger_is_append_only BEFORE UPDATE ON wallet_ledgerentry
BEGIN SELECT RAISE(ABORT, 'ledger rows are never edited'); END;
"""
SQLITE_BACK = "DROP TRIGGER wallet_ledger_is_append_only;"


def protect(apps, schema_editor):
    schema_editor.execute(POSTGRESQL if schema_editor.connection.vendor == "postgresql" else SQLITE)


def unprotect(apps, schema_editor):
    schema_editor.execute(POSTGRESQL_BACK if schema_editor.connection.vendor == "postgresql" else SQLITE_BACK)


OPERATIONS = [migrations.RunPython(protect, unprotect)]
