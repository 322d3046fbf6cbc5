"""Admin pages of balances and their ledger, both read-only; money moves by hand through adjusting and withdrawing."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Substr
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display

from accounts.admin.widgets import (
    EMPTY,
    ReadOnlyAdmin,
    go_to,
    money_column,
)
from wallet.admin.manual_moves import (
    ADJUST,
    WITHDRAW,
    AdjustForm,
    MoveForm,
    WithdrawForm,
    ask_for_move,
)
from wallet.extensions import Booked, booked_for
from wallet.models import LedgerEntry, MoneyRequest, TopUp, Wallet
from wallet.operations.confirmations import ABOUT as ABOUT_A_PAYMENT
from wallet.operations.manual_moves import BY_HAND

# How the references of a payment's ledger rows begin: what a request is about that confirmed it.
BEGINNING = len(ABOUT_A_PAYMENT) + (TopUp._meta.get_field("reference").max_length or 0)


@admin.register(Wallet)
class WalletAdmin(ReadOnlyAdmin):
    list_display = ("user", money_column("balance_micros", gettext_lazy("balance")), "created_at")
    list_select_related = ("user",)
    search_fields = ("user__email",)
    named_by = ("user__email",)
    ordering = ("-balance_micros",)
    file_columns = ("user__email", "balance_micros", "created_at")
    fields = ("user", money_column("balance_micros", gettext_lazy("balance")), "created_at")
    readonly_fields = fields
    actions_detail = ("adjust", "withdraw", "ledger")

    def has_move_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("wallet.change_wallet")

    @action(description=gettext_lazy("Adjust"), url_path="adjust", permissions=["move"], dialog=ADJUST)
    def adjust(self, request: HttpRequest, form: AdjustForm, object_id: str) -> HttpResponse:
        return self._move(request, object_id, MoneyRequest.Kind.ADJUSTMENT, form, ADJUST)

    @action(description=gettext_lazy("Withdraw"), url_path="withdraw", permissions=["move"], dialog=WITHDRAW)
    def withdraw(self, request: HttpRequest, form: WithdrawForm, object_id: str) -> HttpResponse:
        return self._move(request, object_id, MoneyRequest.Kind.WITHDRAWAL, form, WITHDRAW)

    def _move(
        self, request: HttpRequest, object_id: str, kind: str, form: MoveForm, dialog: dict[str, Any]
    ) -> HttpResponse:
        wallet = self.get_object(request, object_id)
        if wallet is None:
            return go_to(request, reverse("admin:wallet_wallet_changelist"))
        return ask_for_move(request, wallet, kind, form, dialog)

    @action(description=gettext_lazy("Show the ledger"), url_path="ledger", permissions=["view"])
    def ledger(self, request: HttpRequest, object_id: str) -> HttpResponse:
        wallet = self.get_object(request, object_id)
        rows = reverse("admin:wallet_ledgerentry_changelist")
        return go_to(request, f"{rows}?wallet__id__exact={wallet.pk}" if wallet else rows)


@admin.register(LedgerEntry)
class LedgerEntryAdmin(ReadOnlyAdmin):
    """The ledger, read-only whatever is posted; a move by hand names who asked, who approved it, and its request."""

    list_display = (
        "id",
        "wallet",
        "kind",
        money_column("amount_micros", gettext_lazy("amount")),
        "reference",
        "note",
        "created_by",
        "approved_by",
        "created_at",
    )
    list_filter = ("kind", "created_at")
    list_select_related = ("wallet__user", "created_by")
    search_fields = ("wallet__user__email",)
    search_help_text = gettext_lazy("Email address, number of the order, or reference of the payment or move")
    linked_by = ("wallet__id__exact",)
    sortable_by = ("id",)  # millions of rows, and no index helps with the others
    file_columns = ("id", "created_at", "wallet__user__email", "kind", "amount_micros", "reference", "note")
    fields = (
        "wallet",
        "kind",
        money_column("amount_micros", gettext_lazy("amount")),
        "reference",
        "note",
        "created_by",
        "approved_by",
        "by_hand",
        "created_at",
    )
    readonly_fields = fields

    def also_found(self, request: HttpRequest, typed: str) -> Q:
        """Return the rows booked for what is known by this reference; see `wallet.extensions.tells_booked`.

        References are unique in a wallet, so an index finds them only together with it.
        """
        found = Q(pk__in=())
        for booked in (*booked_for(typed), *_payments_called(typed), *_moves_called(typed)):
            [wallet] = Wallet.objects.filter(user=booked.user_id).values_list("pk", flat=True)[:1] or [None]
            named = Q(reference=booked.reference) | Q(reference__startswith=f"{booked.reference}:")
            found |= Q(wallet=wallet) & named
        return found

    def get_queryset(self, request: HttpRequest) -> QuerySet[LedgerEntry]:
        asked = MoneyRequest.objects.filter(request_id=Substr(OuterRef("reference"), len(BY_HAND) + 1))
        # A payment may have been confirmed in parts: the newest request that was done when the row was written.
        confirmed = MoneyRequest.objects.filter(
            about=Substr(OuterRef("reference"), 1, BEGINNING),
            kind=MoneyRequest.Kind.PAYMENT,
            state=MoneyRequest.State.DONE,
            asked_by=OuterRef("created_by"),
            decided_at__lte=OuterRef("created_at"),
        ).order_by("-decided_at")
        return (
            super()
            .get_queryset(request)
            .annotate(
                request_pk=Coalesce(Subquery(asked.values("pk")[:1]), Subquery(confirmed.values("pk")[:1])),
                second_person=Coalesce(
                    Subquery(asked.values("decided_by__email")[:1]), Subquery(confirmed.values("decided_by__email")[:1])
                ),
            )
        )

    @display(description=gettext_lazy("approved by"))
    def approved_by(self, entry: Any) -> str:
        return entry.second_person or EMPTY

    @display(description=gettext_lazy("requested as"))
    def by_hand(self, entry: Any) -> str | SafeString:
        if entry.request_pk is None:
            return EMPTY
        page = reverse("admin:wallet_moneyrequest_change", args=[entry.request_pk])
        return format_html('<a class="underline" href="{}">#{}</a>', page, entry.request_pk)


def _payments_called(typed: str) -> list[Booked]:
    payments = TopUp.objects.filter(reference=typed.removeprefix(ABOUT_A_PAYMENT).partition(":")[0].upper())
    return [Booked(payment.user_id, f"{ABOUT_A_PAYMENT}{payment.reference}") for payment in payments]


def _moves_called(typed: str) -> list[Booked]:
    moves = MoneyRequest.objects.filter(request_id=typed.removeprefix(BY_HAND))
    return [Booked(move.user_id, f"{BY_HAND}{move.request_id}") for move in moves]
