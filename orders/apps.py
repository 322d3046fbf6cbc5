from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        from orders.models import Kind
        from orders.service_supply import ServiceSupply
        from orders.supply import register

        register(Kind.SERVICE, ServiceSupply())
