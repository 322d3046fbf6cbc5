from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate, pre_migrate
from django.utils.translation import gettext_lazy as _


class CatalogConfig(AppConfig):
    name = "catalog"
    verbose_name = _("Catalog")

    def ready(self) -> None:
        from catalog.caching.version import count_plainly, forget_stock, install_triggers, watch_connection
        from catalog.operations.edit_jobs import declare_kinds
        from catalog.operations.samples import SAMPLES
        from catalog.operations.service_news import news_of_sync
        from catalog.operations.stock import when_sold_out_or_back
        from catalog.sync.listeners import when_syncs_end
        from notifications.samples import declare_samples

        connection_created.connect(watch_connection)
        pre_migrate.connect(count_plainly, sender=self)
        post_migrate.connect(install_triggers, sender=self)
        when_syncs_end(news_of_sync)
        when_sold_out_or_back(forget_stock)
        declare_samples(SAMPLES)
        declare_kinds()
