"""What staff may decide about orders that are not waiting, but of which upstream may have more or less than we do."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from orders.admin.parts import dialog
from orders.models import Order
from orders.operations.forgotten import is_forgotten, refund_forgotten

ACTIONS = ("refund_lost",)


def fitting(order: Order) -> tuple[str, ...]:
    """Return the buttons that fit this order."""
    return ("refund_lost",) if is_forgotten(order) else ()


class DoubtActions:
    """The buttons of such orders; for an admin that has `_settle`."""

    _settle: Any

    @action(
        description=gettext_lazy("Refund it: upstream lost it"),
        url_path="doubt/refund",
        permissions=["settle"],
        variant=ActionVariant.DANGER,
        dialog=dialog(
            gettext_lazy("Refund it"),
            gettext_lazy(
                "Upstream has answered “Order not found” for a while. The order is closed and the customer gets the "
                "whole price back; what upstream charged for it, ask its support."
            ),
        ),
    )
    def refund_lost(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._settle(
            request,
            object_id,
            lambda actor: refund_forgotten(int(object_id), actor=actor),
            _("The order has been refunded."),
        )
