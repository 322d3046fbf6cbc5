"""The role that migrates, where it is another than the one that runs the shop."""

from typing import Any

from storefront.configuration.environment import Environment


def migration_database(env: Environment) -> dict[str, Any]:
    """Return where `migrate` connects; empty where that is where everybody does."""
    if not env.text("MIGRATION_DATABASE_URL", ""):
        return {}
    return env.parsed("MIGRATION_DATABASE_URL", "db_url_config", "")
