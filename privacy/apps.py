from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class PrivacyConfig(AppConfig):
    name = "privacy"
    verbose_name = _("Privacy")

    def ready(self) -> None:
        # The models have to be there.
        from accounts.security.email_changes import when_undone
        from notifications.samples import declare_samples
        from privacy.deletion.requests import keep_for_the_owner
        from privacy.samples import SAMPLES

        when_undone(keep_for_the_owner)
        declare_samples(SAMPLES)
