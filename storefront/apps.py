from django.apps import AppConfig, apps
from django.core.checks import Tags, register
from django.db.models.signals import post_migrate


class StorefrontConfig(AppConfig):
    name = "storefront"

    def ready(self) -> None:
        from storefront.monitoring import sentry, task_counts, task_log, traces
        from storefront.monitoring.deployment import check_deployment
        from storefront.roles import keep_the_roles

        sentry.begin()
        task_log.connect()
        task_counts.connect()
        traces.begin()  # after task_log: a task's span has the ids that its lines have
        register(check_deployment, Tags.security, deploy=True)
        # Once a `migrate`, after the app that roles are of.
        post_migrate.connect(keep_the_roles, sender=apps.get_app_config("accounts"), dispatch_uid="roles")
