"""Backups of the database: taken, locked, put away, looked at again, and brought back into an empty database."""
