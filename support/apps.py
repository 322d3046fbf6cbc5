from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class SupportConfig(AppConfig):
    name = "support"
    verbose_name = _("Support")

    def ready(self) -> None:
        from catalog.caching.above import put_above
        from notifications.samples import declare_samples
        from orders.lifecycle.listeners import when_orders_change
        from support.bars import above
        from support.documents.samples import SAMPLES as TERMS
        from support.first_answers.rules import keep_rules
        from support.tickets.of_orders import hear_of_orders
        from support.tickets.samples import SAMPLES as ANSWERS

        put_above(above)
        when_orders_change(hear_of_orders)
        declare_samples([*ANSWERS, *TERMS])
        post_migrate.connect(write_missing_documents, sender=self, dispatch_uid="documents")
        post_migrate.connect(keep_rules, sender=self, dispatch_uid="first answers")


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
