"""Samples of what customers are told about their webhooks."""

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from api.models import Webhook
from api.webhooks.operations import words_of_failing
from notifications.kinds import API
from notifications.samples import Sample


def _switched_off(reader: User) -> tuple[str, str]:
    return words_of_failing(Webhook(pk=1, user=reader, url="https://panel.example.com/hooks/orders"))


SAMPLES = [Sample("webhook-off", API, _("A webhook has been switched off"), _switched_off)]
