from django.apps import AppConfig
from django.core.checks import Tags, register


class StorefrontConfig(AppConfig):
    name = "storefront"

    def ready(self) -> None:
        from storefront.monitoring.deployment import check_deployment

        register(check_deployment, Tags.security, deploy=True)
