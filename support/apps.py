from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class SupportConfig(AppConfig):
    name = "support"
    verbose_name = _("Support")

    def ready(self) -> None:
        from catalog.caching.above import put_above
        from support.bars import above

        put_above(above)
        post_migrate.connect(write_missing_documents, sender=self, dispatch_uid="documents")


def write_missing_documents(using: str, apps: Any, **_rest: Any) -> None:
    """Let a shop begin with the documents that come with it; what is there stays as it is."""
    from django.db import DEFAULT_DB_ALIAS
    from django.utils import timezone

    from support.documents.publish import fill_in_missing

    try:
        apps.get_model("support", "DocumentVersion")
    except LookupError:
        return  # migrated to before there were any
    if using == DEFAULT_DB_ALIAS:
        fill_in_missing(now=timezone.now())
