from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApiConfig(AppConfig):
    name = "api"
    verbose_name = _("API")

    def ready(self) -> None:
        from accounts.security.email_changes import when_undone
        from api.webhooks.events import record_changes
        from api.webhooks.operations import switch_off_all_webhooks
        from api.webhooks.samples import SAMPLES
        from notifications.samples import declare_samples
        from orders.lifecycle.listeners import when_orders_change

        when_orders_change(record_changes)
        when_undone(switch_off_all_webhooks)
        declare_samples(SAMPLES)
