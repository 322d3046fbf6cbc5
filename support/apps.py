from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class SupportConfig(AppConfig):
    name = "support"
    verbose_name = _("Support")

    def ready(self) -> None:
        from orders.lifecycle.listeners import when_orders_change
        from support.first_answers.rules import keep_rules
        from support.tickets.of_orders import hear_of_orders

        post_migrate.connect(keep_rules, sender=self, dispatch_uid="first answers")
        when_orders_change(hear_of_orders)
