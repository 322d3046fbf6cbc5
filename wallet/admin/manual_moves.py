"""Moves of money by hand: the forms that ask for one, and the page where a second member of staff decides."""

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.ways_back import way_back
from accounts.admin.widgets import (
    EMPTY,
    DialogForm,
    ReadOnlyAdmin,
    ask_again,
    go_to,
    may_see,
    member_of_staff,
    money_column,
)
from accounts.money import MicrosFormField
from accounts.power import NotYourOwnMoney
from accounts.templatetags.money import money
from wallet.extensions import page_about
from wallet.models import MoneyRequest, TopUp, Wallet
from wallet.operations import AlreadyBooked, InsufficientFunds, SubjectChanged
from wallet.operations.confirmations import ABOUT as ABOUT_A_PAYMENT
from wallet.operations.manual_moves import (
    AlreadyDecided,
    MayNotDecide,
    approve_request,
    decline_request,
    may_decide,
    move_by_hand,
    who_can_decide,
)

State = MoneyRequest.State
MAX_MICROS = 10**15  # a milliard: beyond it somebody's keyboard is stuck
STATE_COLOURS = {State.WAITING: "warning", State.DONE: "success", State.DECLINED: "danger"}
DECIDING = ("approve", "decline")


def _note(max_length: int) -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("Note"),
        max_length=max_length,
        help_text=gettext_lazy("The reason; the customer sees it in the wallet's history."),
        widget=UnfoldAdminTextInputWidget,
    )


class MoveForm(DialogForm):
    """An amount and the reason; `request_id` makes a double click ask once."""

    amount = MicrosFormField(label=gettext_lazy("Amount"), widget=UnfoldAdminTextInputWidget)
    note = _note(300)
    request_id = forms.UUIDField(initial=uuid.uuid4, widget=forms.HiddenInput)

    def clean_amount(self) -> int:
        amount_micros: int = self.cleaned_data["amount"]
        if abs(amount_micros) > MAX_MICROS:
            raise forms.ValidationError(_("This amount is too large."))
        return amount_micros


class AdjustForm(MoveForm):
    """An amount above zero gives, one below takes."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].help_text = _("A positive amount adds money, a negative one takes it away.")

    def clean_amount(self) -> int:
        if self.cleaned_data["amount"] == 0:
            raise forms.ValidationError(_("Enter an amount other than zero."))
        return super().clean_amount()


class WithdrawForm(MoveForm):
    """What the customer is paid outside of the shop, and how."""

    paid_how = forms.CharField(
        label=gettext_lazy("Payout method"),
        max_length=60,
        help_text=gettext_lazy("For example: bank transfer to the account ending in 1234."),
        widget=UnfoldAdminTextInputWidget,
    )
    note = _note(230)  # both have to fit into the note of the ledger
    field_order = ("amount", "paid_how", "note")

    def clean_amount(self) -> int:
        if self.cleaned_data["amount"] <= 0:
            raise forms.ValidationError(_("Enter an amount above zero."))
        return super().clean_amount()


ADJUST: dict[str, Any] = {
    "title": gettext_lazy("Adjust the balance"),
    "description": gettext_lazy("Adds one entry to the ledger; it can't be changed or deleted later."),
    "form_class": AdjustForm,
    "form_submit_text": gettext_lazy("Adjust"),
}
WITHDRAW: dict[str, Any] = {
    "title": gettext_lazy("Pay out to the customer"),
    "description": gettext_lazy(
        "Takes the amount from the wallet because you pay it to the customer outside the shop. If it needs "
        "approval, pay only once it is approved: until then, nothing is reserved."
    ),
    "form_class": WithdrawForm,
    "form_submit_text": gettext_lazy("Withdraw"),
}
APPROVE: dict[str, Any] = {
    "title": gettext_lazy("Approve"),
    "description": gettext_lazy(
        "The money moves at once. The ledger records who requested it and that you approved it."
    ),
    "form_class": BaseDialogForm,
    "form_submit_text": gettext_lazy("Approve"),
}
DECLINE: dict[str, Any] = {
    "title": gettext_lazy("Decline"),
    "description": gettext_lazy("No money moves. The person who requested it sees on this page that you declined it."),
    "form_class": BaseDialogForm,
    "form_submit_text": gettext_lazy("Decline"),
}


def ask_for_move(
    request: HttpRequest, wallet: Wallet, kind: str, form: MoveForm, dialog: dict[str, Any]
) -> HttpResponse:
    """Move what the form says, or put it before a second person; come back to the wallet's page."""
    page = reverse("admin:wallet_wallet_change", args=[wallet.pk])
    try:
        asked = move_by_hand(
            user=wallet.user,
            kind=kind,
            amount_micros=form.cleaned_data["amount"],
            note=form.cleaned_data["note"],
            paid_how=form.cleaned_data.get("paid_how", ""),
            actor=member_of_staff(request),
            request_id=str(form.cleaned_data["request_id"]),
        )
    except NotYourOwnMoney as refusal:
        messages.error(request, str(refusal))
        return go_to(request, page)
    except InsufficientFunds as refusal:
        missing = money(refusal.missing_micros)
        form.add_error("amount", _("The wallet is %(amount)s short.") % {"amount": missing})
        return ask_again(request, dialog, form)
    except AlreadyBooked:
        messages.warning(request, _("This has already been requested; nothing was booked twice."))
        return go_to(request, page)
    if asked.state == State.DONE:
        messages.success(request, _("Booked: %(amount)s.") % {"amount": money(asked.amount_micros)})
        return go_to(request, page)
    return lead_to_waiting(request, asked, back=page)


def lead_to_waiting(request: HttpRequest, asked: MoneyRequest, *, back: str) -> HttpResponse:
    """Say why a move waits and who can approve it; lead to its page, or back for whoever may not see that."""
    values = {"amount": money(asked.amount_micros), "limit": money(settings.ADJUST_APPROVAL_MICROS)}
    if asked.kind == MoneyRequest.Kind.PAYMENT and asked.received_micros > _asked_for(asked):
        words = _(
            "This is more than the customer was asked for: no money has moved yet, a second person has to approve it."
        )
    else:
        words = _(
            "%(amount)s exceeds what one person may move within 24 hours, %(limit)s in all: no money has moved yet, a "
            "second person has to approve it."
        )
    messages.warning(request, f"{words % values} {who_can_decide(asked)}")
    shown = may_see(request.user, "wallet.moneyrequest")
    usual = reverse("admin:wallet_moneyrequest_change", args=[asked.pk]) if shown else back
    return go_to(request, way_back(request, usual))


def _asked_for(asked: MoneyRequest) -> int:
    return TopUp.objects.values_list("pay_micros", flat=True).get(reference=asked.about.removeprefix(ABOUT_A_PAYMENT))


@admin.register(MoneyRequest)
class MoneyRequestAdmin(ReadOnlyAdmin):
    """Every move by hand since it was asked for. What waits is decided by two buttons, and by another person."""

    list_display = (
        "id",
        "user",
        "kind",
        money_column("amount_micros", gettext_lazy("amount")),
        "shown_state",
        "note",
        "asked_by",
        "decided_by",
        "created_at",
    )
    list_filter = ("state", "kind", "needs_second", "created_at")
    list_select_related = ("user", "asked_by", "decided_by")
    search_fields = ("user__email", "asked_by__email", "decided_by__email", "note", "paid_how", "request_id")
    actions_detail = DECIDING
    fields = (
        ("user", "balance"),
        ("kind", money_column("amount_micros", gettext_lazy("amount"))),
        ("shown_about", money_column("received_micros", gettext_lazy("received"))),
        "paid_how",
        "note",
        ("asked_by", "created_at"),
        ("shown_state", "needs_second"),
        ("decided_by", "decided_at"),
        "shown_request",
    )
    readonly_fields = tuple(name for row in fields for name in (row if isinstance(row, tuple) else (row,)))

    @display(description=gettext_lazy("state"), ordering="state", label=STATE_COLOURS)
    def shown_state(self, asked: MoneyRequest) -> tuple[str, str]:
        return asked.state, asked.get_state_display()

    @display(description=gettext_lazy("request ID"), ordering="request_id")
    def shown_request(self, asked: MoneyRequest) -> str:
        return asked.request_id

    @display(description=gettext_lazy("about"))
    def shown_about(self, asked: MoneyRequest) -> str | SafeString:
        """What it is about, with a link to it for whoever has to decide."""
        if not asked.about:
            return EMPTY
        page = page_about(asked)
        return format_html('<a class="underline" href="{}">{}</a>', page, asked.about) if page else asked.about

    @display(description=gettext_lazy("balance now"))
    def balance(self, asked: MoneyRequest) -> str:
        wallet = getattr(asked.user, "wallet", None)
        return EMPTY if wallet is None else money(wallet.balance_micros)

    def has_decide_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("wallet.change_moneyrequest")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer to decide what waits to those who may; whether it is still so at the press, the operation decides."""
        asked = self.get_object(request, object_id)
        if asked is None or asked.state != State.WAITING or not may_decide(asked, member_of_staff(request)):
            return []
        return super().get_actions_detail(request, object_id)

    @action(
        description=gettext_lazy("Approve"),
        url_path="decide/approve",
        permissions=["decide"],
        variant=ActionVariant.SUCCESS,
        dialog=APPROVE,
    )
    def approve(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._decide(request, object_id, approve_request, _("Approved and booked."))

    @action(
        description=gettext_lazy("Decline"),
        url_path="decide/decline",
        permissions=["decide"],
        variant=ActionVariant.DANGER,
        dialog=DECLINE,
    )
    def decline(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._decide(request, object_id, decline_request, _("Declined; no money has moved."))

    def _decide(self, request: HttpRequest, object_id: str, decide: Any, said: str) -> HttpResponse:
        asked = self.get_object(request, object_id)
        if asked is None:
            return go_to(request, reverse("admin:wallet_moneyrequest_changelist"))
        try:
            decide(asked.pk, actor=member_of_staff(request))
        except (AlreadyDecided, MayNotDecide, SubjectChanged) as refusal:
            messages.error(request, str(refusal))
        except InsufficientFunds as refusal:
            words = _("The wallet is now %(amount)s short. The request stays open.")
            messages.error(request, words % {"amount": money(refusal.missing_micros)})
        else:
            self.log_change(request, asked, said)
            messages.success(request, said)
        return go_to(request, way_back(request, reverse("admin:wallet_moneyrequest_change", args=[asked.pk])))
