"""Admin pages of orders: everything is shown, nothing is edited; what staff may decide are named actions."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm

from accounts.admin.widgets import (
    ReadOnlyAdmin,
    go_to,
    json_column,
    member_of_staff,
    money_column,
)
from accounts.models import User
from accounts.power import NotYourOwnMoney
from orders.accounting.daily_totals.dimensions import dimensions
from orders.admin import acts, by_hand, held, unknown_orders
from orders.admin.attention import FlagInline
from orders.admin.bulk import BulkActs
from orders.admin.choices import at_risk, back_with_risk, nobodys
from orders.admin.evidence import WindowForm, reconciliation
from orders.admin.order_list import OrderList
from orders.admin.order_page import order_page
from orders.admin.priced import priced
from orders.admin.requests import RequestInline
from orders.admin.widgets import UPSTREAM, dialog
from orders.lifecycle.attention import attention_of, clear_attention, text_of_hold
from orders.lifecycle.transitions import WrongStatus
from orders.models import AttentionFlag, Checkout, Order, OrderEvent, Status
from orders.reconciliation.close_window import close_window
from orders.reconciliation.refunds_by_hand import refund_by_hand
from orders.reconciliation.resolve import resolve_as_not_placed, resolve_as_placed
from upstream.money import text_from_micros
from wallet.admin.manual_moves import lead_to_waiting
from wallet.models import MoneyRequest

SETTLING = ("as_placed", "as_not_placed", "by_refund", "close")  # what staff may decide about an unknown order
shown_data = json_column("data", gettext_lazy("details"))
shown_evidence = json_column("evidence", gettext_lazy("evidence"))


@admin.register(Order)
class OrderAdmin(
    held.HeldActions, unknown_orders.DoubtActions, by_hand.ByHand, acts.Acts, BulkActs, OrderList, ReadOnlyAdmin
):
    # From the reports to the orders behind a line.
    linked_by = property(lambda _self: tuple(dimension.orders for dimension in dimensions().values()))
    change_form_outer_before_template = "admin/orders/order_page.html"
    actions_detail = (*SETTLING, *held.ACTIONS, *unknown_orders.ACTIONS, "clear", *by_hand.ACTIONS, "ask", "note")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("status", "kind"),
                    "shown_attention",
                    "shown_hold",
                    ("held_until", "hold_waived_at"),
                    "user",
                    ("title", "service"),
                    "quantity",
                    "link",
                    "comments",
                )
            },
        ),
        (gettext_lazy("Reconciliation"), {"fields": (reconciliation,)}),
        (
            gettext_lazy("Money"),
            {
                "fields": (
                    (
                        money_column("price_micros", gettext_lazy("price")),
                        money_column("refunded_micros", gettext_lazy("refunded")),
                    ),
                    (money_column("rate_micros", gettext_lazy("selling rate")), "rate_per"),
                    (
                        money_column("rate_upstream_micros", gettext_lazy("upstream rate"), currency=UPSTREAM),
                        "exchange_rate",
                    ),
                    (
                        money_column("cost_upstream_micros", gettext_lazy("expected upstream cost"), currency=UPSTREAM),
                        money_column("charge_upstream_micros", gettext_lazy("upstream charge"), currency=UPSTREAM),
                    ),
                    priced,
                )
            },
        ),
        (
            gettext_lazy("Upstream"),
            {
                "fields": (
                    ("upstream_id", "upstream_word"),
                    ("start_count", "remains"),
                    ("attempts", "last_upstream_id_before"),
                    ("sent_at", "claim_deadline", "not_before"),
                    ("polled_at", "next_poll_at"),
                    ("created_at", "finished_at"),
                    json_column("upstream_payload", gettext_lazy("last answer")),
                )
            },
        ),
    )
    readonly_fields = tuple(
        field
        for _title, section in fieldsets
        for row in section["fields"]
        for field in (row if isinstance(row, tuple) else (row,))
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        open_flags = Prefetch("flags", AttentionFlag.objects.open(), to_attr="open_flags")
        return super().get_queryset(request).select_related("user", "service").prefetch_related(open_flags)

    def get_inlines(self, request: HttpRequest, obj: Order | None) -> Any:
        """Show the tables that have rows."""
        shown = [(FlagInline, "flags"), (RequestInline, "requests")]
        return [inline for inline, rows in shown if obj is not None and getattr(obj, rows).exists()]

    def get_fieldsets(self, request: HttpRequest, obj: Order | None = None) -> Any:
        """Show what reconciliation found where it had to look."""
        searched = obj is not None and (
            obj.status == Status.UNKNOWN or bool(obj.not_found_times) or obj.lost_attempts.exists()
        )
        return [
            (title, fields) for title, fields in self.fieldsets if searched or fields["fields"] != (reconciliation,)
        ]

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *_options: Any, **more: Any
    ) -> HttpResponse:
        """Show the order below what happened to it and what can be done."""
        context["order_page"] = order_page(context["original"], request, context["actions_detail"])
        answered: HttpResponse = super().render_change_form(request, context, *_options, **more)
        return answered

    @display(description=gettext_lazy("needs attention because"))
    def shown_attention(self, order: Order) -> str:
        return attention_of(order)

    @display(description=gettext_lazy("hold reason"))
    def shown_hold(self, order: Order) -> str:
        return text_of_hold(order.held_because, order.held_details)

    @display(description=gettext_lazy("exchange rate"))
    def exchange_rate(self, order: Order) -> str:
        return text_from_micros(order.exchange_rate_micros)

    def has_settle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("orders.change_order")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer what fits the order; whether it still fits when the button is pressed, the operation decides."""
        order = self.get_object(request, object_id)
        if order is None:
            return []
        fitting: tuple[str, ...]
        if order.status == Status.UNKNOWN:
            fitting = SETTLING + unknown_orders.fitting(order)
        elif held.is_held(order):
            fitting = held.fitting(order)
        else:
            fitting = (*unknown_orders.fitting(order), *(("clear",) if order.open_flags else ()))
        offered = super().get_actions_detail(request, object_id)
        fitting += (*by_hand.fitting(order), *acts.fitting(order))
        return [button for button in offered if button.method.original_function_name in fitting]

    @action(
        description=gettext_lazy("Mark as placed"),
        url_path="settle/placed",
        permissions=["settle"],
        dialog=dialog(
            gettext_lazy("Mark as placed"),
            gettext_lazy("You found the order upstream. From now on it is tracked under this ID."),
            unknown_orders.UpstreamIdForm,
            money=nobodys,
        ),
    )
    def as_placed(self, request: HttpRequest, form: unknown_orders.UpstreamIdForm, object_id: str) -> HttpResponse:
        found, client = form.found(), unknown_orders.client_for_staff()
        return self._settle(
            request,
            object_id,
            lambda actor: resolve_as_placed(int(object_id), **found, actor=actor, client=client, now=timezone.now()),
            _("The order is now tracked as upstream order %(id)s.") % {"id": found["upstream_id"]},
        )

    @action(
        description=gettext_lazy("Not placed: send again"),
        url_path="settle/not-placed",
        permissions=["settle"],
        variant=ActionVariant.WARNING,
        dialog=dialog(
            gettext_lazy("Send again"),
            gettext_lazy(
                "Only if you are sure that upstream doesn't have the order; otherwise it is bought twice. "
                "We keep looking for it, and if it turns up later, it is booked as the shop's loss."
            ),
            money=at_risk,
        ),
    )
    def as_not_placed(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._settle(
            request,
            object_id,
            lambda actor: resolve_as_not_placed(int(object_id), actor=actor, now=timezone.now()),
            _("The order is back in the queue."),
        )

    @action(
        description=gettext_lazy("Refund the order"),
        url_path="settle/refund",
        permissions=["settle"],
        variant=ActionVariant.DANGER,
        dialog=dialog(
            gettext_lazy("Refund the order"),
            gettext_lazy("The customer gets a full refund. If upstream does have the order, the loss is ours."),
            money=back_with_risk,
        ),
    )
    def by_refund(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._settle(
            request,
            object_id,
            lambda actor: refund_by_hand(int(object_id), act="unknown", actor=actor, now=timezone.now()),
            _("The order has been refunded."),
        )

    @action(
        description=gettext_lazy("Mark as reviewed"),
        url_path="settle/clear",
        permissions=["settle"],
        dialog=dialog(
            gettext_lazy("Mark as reviewed"),
            gettext_lazy("Removes the order from the list of those that need attention. Nothing else changes."),
            money=nobodys,
        ),
    )
    def clear(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        return self._settle(
            request,
            object_id,
            lambda actor: clear_attention(int(object_id), actor=actor, now=timezone.now()),
            _("The order has been removed from the list."),
        )

    @action(
        description=gettext_lazy("Close the ID range"),
        url_path="settle/window",
        permissions=["settle"],
        dialog=dialog(
            gettext_lazy("Close the ID range"),
            gettext_lazy(
                "When orders are rare: all IDs up to this one are checked, and the order is settled by evidence."
            ),
            WindowForm,
            money=nobodys,
        ),
    )
    def close(self, request: HttpRequest, form: WindowForm, object_id: str) -> HttpResponse:
        return self._settle(
            request,
            object_id,
            lambda actor: close_window(
                int(object_id), last_id=form.cleaned_data["last_id"], actor=actor, now=timezone.now()
            ),
            _("The ID range is closed. The order will be checked within 30 seconds."),
        )

    def _settle(
        self, request: HttpRequest, object_id: str, operation: Callable[[User], MoneyRequest | None], done: str
    ) -> HttpResponse:
        order = self.get_object(request, object_id)
        if order is None:
            return go_to(request, reverse("admin:orders_order_changelist"))
        page = reverse("admin:orders_order_change", args=[order.pk])
        try:
            asked = operation(member_of_staff(request))
        except NotYourOwnMoney as refusal:
            messages.error(request, str(refusal))
        except WrongStatus as refusal:
            still_open = Order.objects.filter(pk=order.pk, status=Status.UNKNOWN).exists()
            moved_on = _("The order's status has already changed, so nothing was done. Check its events.")
            messages.error(request, str(refusal) if still_open else moved_on)
        except ValueError as problem:  # its text says what to do instead
            messages.error(request, str(problem))
        else:
            if asked is not None and asked.state == MoneyRequest.State.WAITING:
                self.log_change(request, order, f"refund waits for a second person as request {asked.pk}")
                return lead_to_waiting(request, asked, back=page)
            self.log_change(request, order, done)
            messages.success(request, done)
        return go_to(request, page)


@admin.register(OrderEvent)
class OrderEventAdmin(ReadOnlyAdmin):
    list_display = ("order", "code", "status", "actor", "created_at")
    list_filter = ("code", "created_at")
    sortable_by = ()
    list_select_related = ("order", "actor")
    search_fields = ("order__id__exact", "order__user__email")
    ordering = ("-id",)
    fields = ("order", "code", "status", shown_data, shown_evidence, "actor", "created_at")
    readonly_fields = fields


@admin.register(Checkout)
class CheckoutAdmin(ReadOnlyAdmin):
    list_display = ("request_id", "user", "created_at")
    sortable_by = ()
    list_select_related = ("user",)
    search_fields = ("request_id__exact", "user__email")
    ordering = ("-id",)
