"""What staff may decide about an order that is held back because it would lose money."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from orders.admin.choices import back_to_customer, sent_at_a_loss
from orders.admin.widgets import dialog
from orders.fulfilment.margin import send_held_anyway
from orders.models import HoldReason, Order, Status
from orders.reconciliation.refunds_by_hand import refund_by_hand

ACTIONS = ("send_anyway", "refund_now")


def is_held(order: Order) -> bool:
    """Whether the order waits for staff instead of being sent."""
    return order.status == Status.PAID and bool(order.held_because)


def fitting(order: Order) -> tuple[str, ...]:
    """Return the buttons that fit this order, if it is held; what staff itself holds is released, see `by_hand`."""
    return ("refund_now",) if order.held_because == HoldReason.STAFF else ACTIONS


class HeldActions:
    """The two buttons of a held order; for an admin that has `_settle`."""

    _settle: Any

    @action(
        description=gettext_lazy("Send anyway"),
        url_path="held/send",
        permissions=["settle"],
        variant=ActionVariant.WARNING,
        dialog=dialog(
            gettext_lazy("Send anyway"),
            gettext_lazy("The order is sent at whatever it costs upstream now; the shop takes any loss."),
            money=sent_at_a_loss,
        ),
    )
    def send_anyway(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._settle(
            request,
            object_id,
            lambda actor: send_held_anyway(int(object_id), actor=actor, now=timezone.now()),
            _("The order is back in its place in the queue."),
        )

    @action(
        description=gettext_lazy("Refund now"),
        url_path="held/refund",
        permissions=["settle"],
        variant=ActionVariant.DANGER,
        dialog=dialog(
            gettext_lazy("Refund now"),
            gettext_lazy("The order is closed and the customer gets a full refund. Nothing was bought."),
            money=back_to_customer,
        ),
    )
    def refund_now(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._settle(
            request,
            object_id,
            lambda actor: refund_by_hand(int(object_id), act="held", actor=actor, now=timezone.now()),
            _("The order has been refunded."),
        )
