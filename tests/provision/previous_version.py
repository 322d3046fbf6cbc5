"""`python -m tests.provision.previous_version`: write down which columns this version's code reads and writes.

Run when a release is cut. From then on `tests/storefront/test_previous_version.py` proves that code of that release
works on the tables as newer migrations leave them: it runs beside the new version during a deploy, and alone after a
way back.
"""

import json
import os
import sys
from pathlib import Path

FILE = Path(__file__).with_suffix(".json")


def columns_of_models() -> dict[str, dict[str, str]]:
    """Return PostgreSQL's type of every column by table and column, as this version's models have them."""
    from django.apps import apps
    from django.db.backends.postgresql.base import DatabaseWrapper

    types = DatabaseWrapper.data_types
    found: dict[str, dict[str, str]] = {}
    for model in apps.get_models(include_auto_created=True):
        if not model._meta.managed or model._meta.proxy:
            continue
        for field in model._meta.local_concrete_fields:
            target = field
            while target.is_relation:
                target = target.target_field  # type: ignore[attr-defined]  # of relations alone
            kind = types[target.get_internal_type()]
            kind = kind(target.__dict__) if callable(kind) else kind % target.__dict__
            found.setdefault(model._meta.db_table, {})[field.column] = kind
    return {table: dict(sorted(columns.items())) for table, columns in sorted(found.items())}


def main() -> int:
    """Write the file anew, for the version that is here."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "storefront.settings")
    django.setup()
    from storefront import __version__

    FILE.write_text(json.dumps({"version": __version__, "columns": columns_of_models()}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
