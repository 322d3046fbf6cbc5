"""Repricing after a change of the admin's, and what is said about it."""

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from catalog.models import Service
from catalog.pricing.repricing import WHILE_SOMEBODY_WAITS, reprice_services


def reprice_and_say(request: HttpRequest, services: QuerySet[Service] | None = None) -> None:
    """Bring the stored rates of these services, or of all, up to date; many of them are left to a worker."""
    done = reprice_services(now=timezone.now(), services=services, at_most=WHILE_SOMEBODY_WAITS)
    if done.postponed:
        messages.info(request, _("The new prices are in effect. Lists are being re-sorted in the background."))
        return
    words = ngettext("%(count)d price has changed.", "%(count)d prices have changed.", done.changed)
    messages.info(request, words % {"count": done.changed})
