"""What the tests need and a bare machine lacks: PostgreSQL, Valkey, Chromium, an environment of their own."""
