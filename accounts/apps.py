from typing import Any

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Customers")

    def ready(self) -> None:
        from allauth.account.signals import email_added, email_changed
        from allauth.account.signals import password_reset as password_was_reset
        from django.contrib.auth.signals import user_logged_out

        # The models have to be there.
        from accounts.keys.known_rows import watch_connection
        from accounts.security.account_signals import address_added, address_changed, password_reset
        from accounts.sign_in_as.visits import end_with_session
        from accounts.trail import signals

        connection_created.connect(watch_connection, dispatch_uid="rows of keys")
        user_logged_out.connect(end_with_session, dispatch_uid="visits")
        email_changed.connect(address_changed)
        email_added.connect(address_added)
        password_was_reset.connect(password_reset)
        signals.connect()
        post_migrate.connect(protect_what_only_grows, sender=self, dispatch_uid="append only")


def protect_what_only_grows(using: str, **_rest: Any) -> None:
    """See `accounts/append_only.py`."""
    from django.conf import settings
    from django.db import connections

    from accounts.append_only import EVENTS, TRAIL, protect

    ages = {EVENTS.age: settings.RETENTION.order_evidence, TRAIL.age: settings.RETENTION.trail_origins}
    protect(connections[using], ages)
