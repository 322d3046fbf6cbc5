"""Admin pages of balances and their ledger, both read-only; money moves through the adjustment alone."""

import uuid
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin_parts import ReadOnlyAdmin, ask_again, go_to, member_of_staff, money_column
from accounts.money import MicrosFormField
from accounts.templatetags.money import money
from wallet.models import LedgerEntry, Wallet
from wallet.operations import AlreadyBooked, InsufficientFunds, adjust

MOST_MICROS = 10**15  # a milliard: beyond it somebody's keyboard is stuck


class AdjustForm(BaseDialogForm):
    """An amount above zero gives, one below takes. `request_id` makes a double click book once."""

    amount = MicrosFormField(
        label=gettext_lazy("Amount"),
        help_text=gettext_lazy("Above zero gives money, below zero takes it."),
        widget=UnfoldAdminTextInputWidget,
    )
    note = forms.CharField(
        label=gettext_lazy("Note"),
        max_length=300,
        help_text=gettext_lazy("Why; the customer sees it in the wallet's history."),
        widget=UnfoldAdminTextInputWidget,
    )
    request_id = forms.UUIDField(initial=uuid.uuid4, widget=forms.HiddenInput)

    def clean_amount(self) -> int:
        amount_micros: int = self.cleaned_data["amount"]
        if amount_micros == 0:
            raise forms.ValidationError(_("Enter an amount other than zero."))
        if abs(amount_micros) > MOST_MICROS:
            raise forms.ValidationError(_("This amount is too large."))
        return amount_micros


ADJUST: dict[str, Any] = {
    "title": gettext_lazy("Adjust the balance"),
    "description": gettext_lazy("One entry is added to the ledger; it cannot be changed or deleted later."),
    "form_class": AdjustForm,
    "form_submit_text": gettext_lazy("Adjust"),
}


@admin.register(Wallet)
class WalletAdmin(ReadOnlyAdmin):
    list_display = ("user", money_column("balance_micros", gettext_lazy("balance")), "created_at")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    ordering = ("-balance_micros",)
    fields = ("user", money_column("balance_micros", gettext_lazy("balance")), "created_at")
    readonly_fields = fields
    actions_detail = ("adjust", "ledger")

    def has_adjust_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("wallet.change_wallet")

    @action(
        description=gettext_lazy("Adjust"),
        url_path="adjust",
        permissions=["adjust"],
        dialog=ADJUST,
    )
    def adjust(self, request: HttpRequest, form: AdjustForm, object_id: str) -> HttpResponse:
        wallet = self.get_object(request, object_id)
        page = reverse("admin:wallet_wallet_change", args=[object_id])
        if wallet is None:
            return go_to(request, reverse("admin:wallet_wallet_changelist"))
        try:
            entry = adjust(
                user=wallet.user,
                amount_micros=form.cleaned_data["amount"],
                note=form.cleaned_data["note"],
                actor=member_of_staff(request),
                reference=f"adjust:{form.cleaned_data['request_id']}",
            )
        except InsufficientFunds as refusal:
            missing = money(refusal.missing_micros)
            form.add_error(
                "amount", _("The wallet does not hold that much: %(amount)s is missing.") % {"amount": missing}
            )
            return ask_again(request, ADJUST, form)
        except AlreadyBooked:
            messages.warning(request, _("This adjustment has been booked already; nothing was booked twice."))
            return go_to(request, page)
        self.log_change(request, wallet, f"adjusted by {entry.amount_micros} micros: {entry.note}")
        messages.success(request, _("Booked: %(amount)s.") % {"amount": money(entry.amount_micros)})
        return go_to(request, page)

    @action(description=gettext_lazy("Show the ledger"), url_path="ledger", permissions=["view"])
    def ledger(self, request: HttpRequest, object_id: str) -> HttpResponse:
        wallet = self.get_object(request, object_id)
        rows = reverse("admin:wallet_ledgerentry_changelist")
        return go_to(request, f"{rows}?wallet__id__exact={wallet.pk}" if wallet else rows)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    list_display = (
        "id",
        "wallet",
        "kind",
        money_column("amount_micros", gettext_lazy("amount")),
        "reference",
        "note",
        "created_by",
        "created_at",
    )
    list_filter = ("kind", "created_at")
    list_select_related = ("wallet__user", "created_by")
    search_fields = ("wallet__user__email", "reference", "note")
    fields = (
        "wallet",
        "kind",
        money_column("amount_micros", gettext_lazy("amount")),
        "reference",
        "note",
        "created_by",
        "created_at",
    )
    readonly_fields = fields

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        return lookup == "wallet__id__exact" or super().lookup_allowed(lookup, value, request)
