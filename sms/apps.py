from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SmsConfig(AppConfig):
    name = "sms"
    verbose_name = _("SMS numbers")

    def ready(self) -> None:
        from orders.lifecycle.supply import register
        from orders.models import Kind
        from sms.supply import NumberSupply

        register(Kind.NUMBER, NumberSupply())
