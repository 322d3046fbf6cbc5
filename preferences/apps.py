from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext_lazy as _


class PreferencesConfig(AppConfig):
    name = "preferences"
    verbose_name = _("Preferences")

    def ready(self) -> None:
        from preferences import doors, face, keeping  # noqa: F401 - each declares its own

        # Apps above declare theirs in a module of this name.
        autodiscover_modules("preferences")
