from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SupportConfig(AppConfig):
    name = "support"
    verbose_name = _("Support")

    def ready(self) -> None:
        from orders.lifecycle.listeners import when_orders_change
        from support.tickets.of_orders import hear_of_orders

        when_orders_change(hear_of_orders)
