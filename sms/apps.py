from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SmsConfig(AppConfig):
    name = "sms"
    verbose_name = _("SMS numbers")

    def ready(self) -> None:
        from orders.accounting.daily_totals.dimensions import keep_totals_by
        from orders.lifecycle.supply import register
        from orders.models import Kind
        from sms.queries.totals import BY_COUNTRY, BY_SITE
        from sms.supply import NumberSupply

        register(Kind.NUMBER, NumberSupply())
        keep_totals_by(BY_COUNTRY)
        keep_totals_by(BY_SITE)
