"""Admin pages of payments from outside: top-ups, what gateways told us about them, and what customers owe."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.list_filters import known_values
from accounts.admin.lists import SavedFilter
from accounts.admin.ways_back import way_back
from accounts.admin.widgets import (
    DialogForm,
    ReadOnlyAdmin,
    ReadOnlyInline,
    ask_again,
    go_to,
    json_column,
    member_of_staff,
    money_column,
)
from accounts.money import MicrosFormField
from accounts.power import NotYourOwnMoney
from wallet.admin.manual_moves import lead_to_waiting
from wallet.extensions import tells_page
from wallet.gateways import EVERY_NAME
from wallet.models import OPEN_TOP_UPS, GatewayEvent, MoneyRequest, Receivable, TopUp
from wallet.operations import PaymentChanged, WrongStatus, close_review, confirm_top_up, decline_top_up
from wallet.operations.confirmations import ABOUT, seen_of
from wallet.operations.top_ups import MAX_MICROS

Status = TopUp.Status
STATUS_COLOURS = {
    Status.PENDING: "info",
    Status.PAID: "success",
    Status.REVIEW: "warning",
    Status.DECLINED: "danger",
    Status.DISPUTED: "danger",
}


class ReceivedForm(DialogForm):
    """What arrived in all, in the shop's currency."""

    amount = MicrosFormField(
        label=gettext_lazy("Total received"),
        help_text=gettext_lazy("What has arrived for this payment, including the fee, in the shop's currency."),
        widget=UnfoldAdminTextInputWidget,
    )

    def clean_amount(self) -> int:
        amount_micros: int = self.cleaned_data["amount"]
        if not 0 < amount_micros <= MAX_MICROS:
            raise forms.ValidationError(_("Enter an amount above zero."))
        return amount_micros


def _dialog(title: Any, description: Any, form_class: type[BaseDialogForm] = BaseDialogForm) -> dict[str, Any]:
    return {"title": title, "description": description, "form_class": form_class, "form_submit_text": title}


CONFIRM = _dialog(
    gettext_lazy("Confirm the payment"),
    gettext_lazy(
        "The wallet gets what arrived minus the fee; anything credited earlier is taken into account. More than the "
        "customer was asked for, or than one person may move within 24 hours, waits for a second person."
    ),
    ReceivedForm,
)


class HumanFilter(admin.SimpleListFilter):
    title = gettext_lazy("attention")
    parameter_name = "attention"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", _("Needs attention"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        return queryset.exclude(attention="") if self.value() == "yes" else queryset


class GatewayEventInline(ReadOnlyInline):
    model = GatewayEvent
    hide_title = True
    fields = ("created_at", "kind", "event_id", "outcome", "reason")
    readonly_fields = fields


GatewayFilter = known_values("gateway", gettext_lazy("gateway"), lambda: zip(EVERY_NAME, EVERY_NAME, strict=True))


@admin.register(TopUp)
class TopUpAdmin(ReadOnlyAdmin):
    list_display = (
        "reference",
        "user",
        "gateway",
        money_column("pay_micros", gettext_lazy("to pay")),
        money_column("received_micros", gettext_lazy("received")),
        money_column("credited_micros", gettext_lazy("credited")),
        "shown_status",
        "attention",
        "created_at",
    )
    list_filter = (HumanFilter, "status", GatewayFilter, "created_at")
    saved_filters = (
        SavedFilter(gettext_lazy("All"), ""),
        SavedFilter(gettext_lazy("Needs attention"), "attention=yes"),
        SavedFilter(gettext_lazy("Waiting for money"), f"status__exact={Status.PENDING}"),
        SavedFilter(gettext_lazy("Disputed"), f"status__exact={Status.DISPUTED}"),
    )
    file_columns = (
        *("reference", "created_at", "user__email", "gateway", "gateway_id", "status"),
        *("pay_micros", "received_micros", "credited_micros"),
    )
    list_select_related = ("user",)
    search_fields = ("reference__startswith", "user__email")
    named_by = ("reference",)
    linked_by = ("user__id__exact",)
    inlines = (GatewayEventInline,)
    actions_detail = ("confirm", "decline", "mark_reviewed")
    fields = (
        ("shown_status", "attention"),
        ("user", "reference"),
        ("gateway", "gateway_id"),
        "note",
        tuple(
            money_column(f"{name}_micros", title)
            for name, title in (
                ("amount", gettext_lazy("amount")),
                ("fee", gettext_lazy("fee")),
                ("pay", gettext_lazy("to pay")),
                ("bonus", gettext_lazy("bonus")),
            )
        ),
        (
            money_column("received_micros", gettext_lazy("received")),
            money_column("credited_micros", gettext_lazy("credited")),
            "confirmed_by",
        ),
        tuple(
            money_column(f"{name}_micros", title)
            for name, title in (
                ("refunded", gettext_lazy("refunded")),
                ("disputed", gettext_lazy("disputed")),
                ("reversed", gettext_lazy("reversed")),
            )
        ),
        ("created_at", "expires_at", "paid_at"),
        ("checks", "next_check_at"),
    )
    readonly_fields = tuple(field for row in fields for field in (row if isinstance(row, tuple) else (row,)))

    def also_found(self, request: HttpRequest, typed: str) -> Q:
        """Return the payment that a gateway calls so."""
        return Q(gateway__in=EVERY_NAME, gateway_id=typed)  # with the gateways an index helps

    @display(description=gettext_lazy("status"), ordering="status", label=STATUS_COLOURS)
    def shown_status(self, top_up: TopUp) -> tuple[str, str]:
        return top_up.status, top_up.get_status_display()

    def has_judge_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("wallet.change_topup")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer what fits the payment; whether it still fits when the button is pressed, the operation decides."""
        top_up = self.get_object(request, object_id)
        fitting = _fitting(top_up) if top_up else ()
        offered = super().get_actions_detail(request, object_id)
        return [button for button in offered if button.method.original_function_name in fitting]

    @action(description=gettext_lazy("Confirm the payment"), url_path="confirm", permissions=["judge"], dialog=CONFIRM)
    def confirm(self, request: HttpRequest, form: ReceivedForm, object_id: str) -> HttpResponse:
        received_micros = form.cleaned_data["amount"]
        try:
            return self._judge(
                request,
                object_id,
                partial(confirm_top_up, received_micros=received_micros),
                f"confirmed: {received_micros} micros received",
                _("The payment has been confirmed and credited."),
            )
        except ValueError:
            form.add_error("amount", _("Nothing would be left for the wallet, or this amount is already booked."))
            return ask_again(request, CONFIRM, form)

    @action(
        description=gettext_lazy("Decline"),
        url_path="decline",
        permissions=["judge"],
        variant=ActionVariant.DANGER,
        dialog=_dialog(gettext_lazy("Decline"), gettext_lazy("No money has arrived. Nothing is credited.")),
    )
    def decline(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._judge(
            request,
            object_id,
            decline_top_up,
            "declined",
            _("The payment has been declined."),
        )

    @action(
        description=gettext_lazy("Mark as reviewed"),
        url_path="seen",
        permissions=["judge"],
        dialog=_dialog(
            gettext_lazy("Mark as reviewed"),
            gettext_lazy(
                "Removes the payment from the list of those that need attention. What has been credited stays as it is."
            ),
        ),
    )
    def mark_reviewed(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._judge(
            request,
            object_id,
            close_review,
            "seen to",
            _("The payment has been removed from the list."),
        )

    def _judge(
        self,
        request: HttpRequest,
        object_id: str,
        decide: Callable[..., MoneyRequest | None],
        what: str,
        success: str,
    ) -> HttpResponse:
        top_up = self.get_object(request, object_id)
        if top_up is None:
            return go_to(request, reverse("admin:wallet_topup_changelist"))
        own_page = reverse("admin:wallet_topup_change", args=[object_id])
        page = way_back(request, own_page)
        seen = request.GET.get("seen") or seen_of(top_up)
        try:
            asked = decide(top_up=top_up, actor=member_of_staff(request), seen=seen)
        except PaymentChanged as refusal:
            messages.warning(request, str(refusal))
            return go_to(request, own_page)
        except (WrongStatus, NotYourOwnMoney) as refusal:
            messages.warning(request, str(refusal))
        else:
            if asked is not None and asked.state == MoneyRequest.State.WAITING:
                self.log_change(request, top_up, f"{what}; waits for a second person as request {asked.pk}")
                return lead_to_waiting(request, asked, back=page)
            self.log_change(request, top_up, what)
            messages.success(request, success)
        return go_to(request, page)


def _fitting(top_up: TopUp) -> tuple[str, ...]:
    if top_up.status == Status.REVIEW:
        return ("confirm", "mark_reviewed") if top_up.received_micros else ("confirm", "decline")
    by_hand = top_up.gateway == "manual" and not top_up.received_micros
    if by_hand and top_up.status in (*OPEN_TOP_UPS, Status.EXPIRED, Status.DECLINED):
        return ("confirm", "decline") if top_up.status in OPEN_TOP_UPS else ("confirm",)
    return ("mark_reviewed",) if top_up.attention else ()


def _page_of_payment(asked: MoneyRequest) -> str:
    number = TopUp.objects.values_list("pk", flat=True).get(reference=asked.about.removeprefix(ABOUT))
    return reverse("admin:wallet_topup_change", args=[number])


tells_page(MoneyRequest.Kind.PAYMENT, _page_of_payment)


@admin.register(GatewayEvent)
class GatewayEventAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "gateway", "kind", "event_id", "top_up", "outcome", "reason", "address")
    list_filter = ("outcome", GatewayFilter, "created_at")
    list_select_related = ("top_up",)
    search_fields = ("top_up__reference__startswith",)
    search_help_text = gettext_lazy("Reference of the payment, or the whole ID of the event")
    fields = (
        ("created_at", "address"),
        ("gateway", "kind"),
        "event_id",
        "top_up",
        ("outcome", "reason"),
        json_column("headers", gettext_lazy("headers")),
        "body",
    )
    readonly_fields = tuple(field for row in fields for field in (row if isinstance(row, tuple) else (row,)))

    def also_found(self, request: HttpRequest, typed: str) -> Q:
        """Return the event that a gateway calls so."""
        return Q(gateway__in=EVERY_NAME, event_id=typed)  # with the gateways an index helps


@admin.register(Receivable)
class ReceivableAdmin(ReadOnlyAdmin):
    list_display = (
        "user",
        money_column("amount_micros", gettext_lazy("owed")),
        money_column("paid_micros", gettext_lazy("paid off")),
        "top_up",
        "note",
        "created_at",
        "settled_at",
    )
    list_filter = (("settled_at", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("user", "top_up")
    search_fields = ("user__email", "top_up__reference__startswith")
    fields = list_display
    readonly_fields = fields
