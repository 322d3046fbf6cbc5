"""Buttons with which staff changes an order by hand: a refund in part, holding back, the figures its customer reads.

Each form keeps what was seen when it was opened: where that has changed since, nothing is done.
"""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextInputWidget

from accounts.admin.widgets import DialogForm
from accounts.money import MicrosFormField
from accounts.templatetags.money import money
from orders.admin.choices import nobodys, part_to_customer
from orders.admin.widgets import dialog
from orders.lifecycle.settled_lines import due_in_all_micros
from orders.lifecycle.staff_acts import hold_by_hand, may_be_counted, release_by_hand, set_counts
from orders.models import HoldReason, Order, Status
from orders.reconciliation.refunds_by_hand import may_be_refunded_in_part, refund_part_by_hand

ACTIONS = ("release", "hold", "refund_part", "counts")
LARGEST_COUNT = 2**63 - 1
LONGEST_REASON = 300


class ReasonForm(DialogForm):
    """Asks why; of the order that the dialog is about."""

    note = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=LONGEST_REASON,
        help_text=gettext_lazy("Kept in the order's events, for staff."),
        widget=UnfoldAdminTextInputWidget,
    )

    def order(self) -> Order | None:
        """Return the order as it is now; None when there is none of this number."""
        number = str(self.object_id)
        return Order.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None


class PartForm(ReasonForm):
    """How much goes back, out of what is left."""

    amount = MicrosFormField(label=gettext_lazy("Amount"), widget=UnfoldAdminTextInputWidget)
    seen = forms.IntegerField(widget=forms.HiddenInput)
    field_order = ("amount", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        order = self.order()
        if order is None:
            return
        left_micros = order.price_micros - order.refunded_micros
        self.fields["seen"].initial = order.refunded_micros
        self.fields["amount"].initial = max(self._undelivered(order), 0) or None
        self.fields["amount"].help_text = _("Up to %(left)s; %(refunded)s of %(price)s has been refunded.") % {
            "left": money(left_micros),
            "refunded": money(order.refunded_micros),
            "price": money(order.price_micros),
        }

    def clean_amount(self) -> int:
        amount_micros: int = self.cleaned_data["amount"]
        order = self.order()
        if amount_micros <= 0:
            raise forms.ValidationError(_("Enter an amount above zero."))
        if order is not None and amount_micros > order.price_micros - order.refunded_micros:
            raise forms.ValidationError(_("That is more than is left of the order's price."))
        return amount_micros

    def _undelivered(self, order: Order) -> int:
        """Return what a partial order's customer is still owed for what was not delivered."""
        if order.status != Status.PARTIAL or order.remains is None:
            return 0
        return due_in_all_micros(order) - order.refunded_micros


class CountsForm(ReasonForm):
    """Start count and remains; an empty one is not known."""

    start_count = forms.IntegerField(
        label=gettext_lazy("Start count"),
        required=False,
        min_value=0,
        max_value=LARGEST_COUNT,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    remains = forms.IntegerField(
        label=gettext_lazy("Remains"), required=False, min_value=0, widget=UnfoldAdminIntegerFieldWidget
    )
    seen_start_count = forms.IntegerField(required=False, widget=forms.HiddenInput)
    seen_remains = forms.IntegerField(required=False, widget=forms.HiddenInput)
    field_order = ("start_count", "remains", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        order = self.order()
        for name in ("start_count", "remains") if order is not None else ():
            self.fields[name].initial = self.fields[f"seen_{name}"].initial = getattr(order, name)

    def clean_remains(self) -> int | None:
        remains: int | None = self.cleaned_data["remains"]
        order = self.order()
        if remains is not None and order is not None and remains > order.quantity:
            raise forms.ValidationError(_("No more than %(ordered)s can remain.") % {"ordered": order.quantity})
        return remains


def fitting(order: Order) -> tuple[str, ...]:
    """Return the buttons that fit this order."""
    held_by_staff = order.status == Status.PAID and order.held_because == HoldReason.STAFF
    found = {
        "hold": order.status == Status.PAID and not order.held_because,
        "release": held_by_staff,
        "refund_part": may_be_refunded_in_part(order),
        "counts": may_be_counted(order),
    }
    return tuple(name for name, fits in found.items() if fits)


class ByHand:
    """The four buttons, for an admin that has `_settle`."""

    _settle: Any

    @action(
        description=gettext_lazy("Hold back"),
        url_path="hand/hold",
        permissions=["settle"],
        dialog=dialog(
            gettext_lazy("Hold back"),
            gettext_lazy("The order keeps its place but isn't sent until you release or refund it."),
            ReasonForm,
            money=nobodys,
        ),
    )
    def hold(self, request: HttpRequest, form: ReasonForm, object_id: str) -> HttpResponse:
        note = form.cleaned_data["note"]
        return self._settle(
            request,
            object_id,
            lambda actor: hold_by_hand(int(object_id), note=note, actor=actor, now=timezone.now()),
            _("The order is held back."),
        )

    @action(
        description=gettext_lazy("Release"),
        url_path="hand/release",
        permissions=["settle"],
        dialog=dialog(
            gettext_lazy("Release"),
            gettext_lazy("The order goes on; what it costs is checked again before it is sent."),
            money=nobodys,
        ),
    )
    def release(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._settle(
            request,
            object_id,
            lambda actor: release_by_hand(int(object_id), actor=actor, now=timezone.now()),
            _("The order is back in its place in the queue."),
        )

    @action(
        description=gettext_lazy("Refund a part"),
        url_path="hand/refund",
        permissions=["settle"],
        variant=ActionVariant.WARNING,
        dialog=dialog(
            gettext_lazy("Refund a part"),
            gettext_lazy("Goes to the customer's balance. What upstream's status gives back later counts against it."),
            PartForm,
            money=part_to_customer,
        ),
    )
    def refund_part(self, request: HttpRequest, form: PartForm, object_id: str) -> HttpResponse:
        asked = form.cleaned_data
        return self._settle(
            request,
            object_id,
            lambda actor: refund_part_by_hand(
                int(object_id),
                amount_micros=asked["amount"],
                note=asked["note"],
                seen_refunded_micros=asked["seen"],
                actor=actor,
                now=timezone.now(),
            ),
            _("%(amount)s has been refunded.") % {"amount": money(asked["amount"])},
        )

    @action(
        description=gettext_lazy("Correct figures"),
        url_path="hand/counts",
        permissions=["settle"],
        dialog=dialog(
            gettext_lazy("Correct figures"),
            gettext_lazy("The customer sees them. If upstream reports others later, those count."),
            CountsForm,
            money=nobodys,
        ),
    )
    def counts(self, request: HttpRequest, form: CountsForm, object_id: str) -> HttpResponse:
        asked = form.cleaned_data
        return self._settle(
            request,
            object_id,
            lambda actor: set_counts(
                int(object_id),
                start_count=asked["start_count"],
                remains=asked["remains"],
                note=asked["note"],
                seen=(asked["seen_start_count"], asked["seen_remains"]),
                actor=actor,
                now=timezone.now(),
            ),
            _("The figures are corrected."),
        )
