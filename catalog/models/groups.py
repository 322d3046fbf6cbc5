"""The headings that categories stand under."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class CategoryGroup(models.TextChoices):
    """Kinds of categories, in the order they are shown; `catalog.browse.groups` reads them from the names."""

    SOCIAL = "social", _("Social networks and media")
    ACCOUNTS = "accounts", _("Accounts")
    KEYS = "keys", _("Keys, software and subscriptions")
    NUMBERS = "numbers", pgettext_lazy("category group", "Numbers")
    SITES = "sites", _("Websites, maps and apps")
    OTHER = "other", pgettext_lazy("category group", "More")
