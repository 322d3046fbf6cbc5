"""What staff may decide about orders that are not waiting, but of which upstream may have more or less than we do."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanWidget

from accounts.admin.widgets import DialogForm
from orders.admin.choices import back_with_risk, nobodys, shop_pays
from orders.admin.widgets import dialog
from orders.attempts.not_found import is_forgotten
from orders.models import Order
from orders.reconciliation.refunds_by_hand import refund_by_hand
from orders.reconciliation.resolve import book_loss, close_question, is_in_question
from upstream.client import Client, default_client
from upstream.errors import Unavailable

ACTIONS = ("refund_lost", "bought", "not_bought")
ASK_SECONDS = 10.0  # somebody waits in front of the page


class UpstreamIdForm(DialogForm):
    """The order id that upstream gave, as the admin found it there."""

    upstream_id = forms.CharField(
        label=gettext_lazy("Upstream order ID"), max_length=64, widget=UnfoldAdminTextInputWidget
    )
    force = forms.BooleanField(
        label=gettext_lazy("Even if upstream can't be asked, or charged a different amount"),
        required=False,
        help_text=gettext_lazy(
            "We ask upstream about this order first. What you force is noted in the order's events."
        ),
        widget=UnfoldBooleanWidget,
    )

    def found(self) -> dict[str, Any]:
        """Return what the operations that ask upstream take."""
        return {name: self.cleaned_data[name] for name in ("upstream_id", "force")}


class NoteForm(DialogForm):
    note = forms.CharField(
        label=gettext_lazy("How you know"),
        max_length=300,
        help_text=gettext_lazy("Kept in the order's events, for staff."),
        widget=UnfoldAdminTextInputWidget,
    )


class LossForm(NoteForm, UpstreamIdForm):
    field_order = ("upstream_id", "note", "force")


def fitting(order: Order) -> tuple[str, ...]:
    """Return the buttons that fit this order."""
    lost = ("refund_lost",) if is_forgotten(order) else ()
    return (*lost, *(("bought", "not_bought") if is_in_question(order) else ()))


def client_for_staff() -> Client | None:
    """Return the client with which upstream is asked while a page waits; None when no upstream is configured."""
    try:
        return default_client(timeout_seconds=ASK_SECONDS)
    except Unavailable:
        return None


class DoubtActions:
    """The buttons of such orders; for an admin that has `_settle`."""

    _settle: Any

    @action(
        description=gettext_lazy("Refund: lost by upstream"),
        url_path="doubt/refund",
        permissions=["settle"],
        variant=ActionVariant.DANGER,
        dialog=dialog(
            gettext_lazy("Refund the order"),
            gettext_lazy(
                "Upstream has been answering “Order not found” for a while. The order is closed and the "
                "customer gets a full refund. Ask upstream's support about what it charged."
            ),
            money=back_with_risk,
        ),
    )
    def refund_lost(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._settle(
            request,
            object_id,
            lambda actor: refund_by_hand(int(object_id), act="forgotten", actor=actor, now=timezone.now()),
            _("The order has been refunded."),
        )

    @action(
        description=gettext_lazy("Bought: book the loss"),
        url_path="doubt/bought",
        permissions=["settle"],
        variant=ActionVariant.WARNING,
        dialog=dialog(
            gettext_lazy("Book the loss"),
            gettext_lazy(
                "Upstream has an order that was refunded or sent again because the answer never came. The "
                "shop pays for it; nothing changes for the customer or the order."
            ),
            LossForm,
            money=shop_pays,
        ),
    )
    def bought(self, request: HttpRequest, form: LossForm, object_id: str) -> HttpResponse:
        found, note, client = form.found(), form.cleaned_data["note"], client_for_staff()
        return self._settle(
            request,
            object_id,
            lambda actor: book_loss(int(object_id), **found, note=note, actor=actor, client=client, now=timezone.now()),
            _("Upstream order %(id)s has been booked as the shop's loss.") % {"id": found["upstream_id"]},
        )

    @action(
        description=gettext_lazy("Not bought: close the question"),
        url_path="doubt/not-bought",
        permissions=["settle"],
        dialog=dialog(
            gettext_lazy("Close the question"),
            gettext_lazy("Only if you are sure that upstream doesn't have the order: we stop looking for it."),
            NoteForm,
            money=nobodys,
        ),
    )
    def not_bought(self, request: HttpRequest, form: NoteForm, object_id: str) -> HttpResponse:
        return self._settle(
            request,
            object_id,
            lambda actor: close_question(
                int(object_id), note=form.cleaned_data["note"], actor=actor, now=timezone.now()
            ),
            _("The question is closed: upstream doesn't have the order."),
        )
