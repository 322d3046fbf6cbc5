"""A transfer that people make and people confirm: the customer says it was sent, staff says it has arrived."""

from collections.abc import Mapping
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from wallet.gateways.base import Gateway, InvalidCallback, PaymentUpdate, Started, State
from wallet.models import TopUp

LIFETIME = timedelta(days=14)


class ManualGateway(Gateway):
    """Where to transfer to is a text in the settings; nothing comes in by itself."""

    name = "manual"
    variables = ("MANUAL_TRANSFER_DETAILS",)
    title = gettext_lazy("Bank transfer")
    hint = gettext_lazy("You make the transfer, we confirm it by hand, usually within one business day.")

    def start(self, top_up: TopUp, return_url: str) -> Started:
        page = reverse("wallet:payment", args=[top_up.reference])
        return Started(page, "", top_up.created_at + LIFETIME)

    def read_callback(self, headers: Mapping[str, str], body: bytes) -> list[PaymentUpdate]:
        raise InvalidCallback("foreign: nobody calls back about a transfer")

    def ask(self, top_up: TopUp) -> PaymentUpdate:
        """A transfer that nobody declared in two weeks was not made; a declared one waits for staff."""
        over = top_up.expires_at is not None and top_up.expires_at <= timezone.now()
        unannounced = top_up.status == TopUp.Status.CREATED
        return PaymentUpdate(
            "", "asked", "", top_up.reference, State.EXPIRED if over and unannounced else State.NOTHING
        )

    def try_out(self) -> str:
        return _("customers read the details that you wrote")
