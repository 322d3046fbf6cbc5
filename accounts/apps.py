from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = _("Customers")

    def ready(self) -> None:
        from allauth.account.signals import email_added, email_changed

        from accounts.security.account_signals import address_added, address_changed

        email_changed.connect(address_changed)
        email_added.connect(address_added)
