"""Django's database backend for PostgreSQL, which asks a connection in use less often whether it still works."""
