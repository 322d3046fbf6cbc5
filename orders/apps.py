from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class OrdersConfig(AppConfig):
    name = "orders"
    verbose_name = _("Orders")

    def ready(self) -> None:
        from catalog.operations import when_held_back
        from catalog.wishes import when_something_may_be_back
        from orders.alarms import tell_of_quarantine
        from orders.models import Kind
        from orders.service_supply import ServiceSupply
        from orders.supply import register
        from orders.wallet_pages import purpose_of, reserved_by
        from orders.watch_mails import nudge_watchers
        from wallet.extensions import tells_purpose, tells_reserved

        register(Kind.SERVICE, ServiceSupply())
        when_something_may_be_back(nudge_watchers)
        when_held_back(tell_of_quarantine)
        tells_purpose(purpose_of)
        tells_reserved(reserved_by)
