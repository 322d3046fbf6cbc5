"""What customers asked for after the sale, and what staff answers them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.lists import SavedFilter
from accounts.admin.widgets import (
    DialogForm,
    ReadOnlyAdmin,
    ReadOnlyInline,
    go_to,
    may_see,
    member_of_staff,
)
from accounts.power import NotYourOwnMoney
from orders.admin.order_search import of_upstream
from orders.admin.widgets import dialog
from orders.lifecycle.service_requests import close_request
from orders.lifecycle.transitions import WrongStatus
from orders.models import ServiceRequest

State = ServiceRequest.State
STATE_COLOURS = {State.OPEN: "warning", State.DONE: "success", State.DECLINED: "danger"}
ANSWERING = ("done", "decline")
OPEN_ONES = f"state__exact={State.OPEN}"


class AnswerForm(DialogForm):
    """A word to the customer, who reads it on the order's page."""

    answer = forms.CharField(
        label=gettext_lazy("Answer to the customer"),
        max_length=300,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )


class RefusalForm(AnswerForm):
    """A refusal always says why."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["answer"].required = True


class RequestInline(ReadOnlyInline):
    """The requests of an order, on its page."""

    model = ServiceRequest
    hide_title = True
    show_change_link = True
    fields = ("created_at", "kind", "state", "answer", "closed_at", "closed_by")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServiceRequest]:
        return super().get_queryset(request).select_related("closed_by", "order")


@admin.register(ServiceRequest)
class ServiceRequestAdmin(ReadOnlyAdmin):
    """Requests are answered with one of two buttons; what becomes of the order, upstream's status says."""

    list_display = ("order", "kind", "shown_state", "order_status", "customer", "answer", "created_at")
    list_filter = ("state", "kind", "created_at")
    list_select_related = ("order__user",)
    search_fields = ("order__id__exact", "order__user__email", "order__title")
    saved_filters = (
        SavedFilter(gettext_lazy("All"), ""),
        SavedFilter(gettext_lazy("Open"), OPEN_ONES),
        SavedFilter(gettext_lazy("Refills"), f"{OPEN_ONES}&kind__exact={ServiceRequest.Kind.REFILL}"),
        SavedFilter(gettext_lazy("Cancellations"), f"{OPEN_ONES}&kind__exact={ServiceRequest.Kind.CANCEL}"),
    )
    file_columns = (
        *("id", "created_at", "order__id", "order__upstream_id", "order__user__email", "kind", "state", "answer"),
        *("order__link", "closed_at"),
    )
    actions_detail = ANSWERING
    fields = (
        ("order", "customer"),
        ("kind", "state"),
        ("order_status", "upstream_id"),
        "link",
        "answer",
        ("created_at", "closed_at", "closed_by"),
    )
    readonly_fields = tuple(name for row in fields for name in (row if isinstance(row, tuple) else (row,)))

    def also_found(self, request: HttpRequest, typed: str) -> Q:
        """Return the requests about the order that upstream calls so, for who may see orders."""
        return Q(order__in=of_upstream(typed) if may_see(request.user, "orders.order") else ())

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServiceRequest]:
        return super().get_queryset(request).select_related("order__user", "closed_by")

    @display(description=gettext_lazy("state"), ordering="state", label=STATE_COLOURS)
    def shown_state(self, asked: ServiceRequest) -> tuple[str, str]:
        return asked.state, asked.get_state_display()

    @display(description=gettext_lazy("order status"), ordering="order__status")
    def order_status(self, asked: ServiceRequest) -> str:
        return asked.order.get_status_display()

    @display(description=gettext_lazy("customer"), ordering="order__user__email")
    def customer(self, asked: ServiceRequest) -> str:
        return asked.order.user.email

    @display(description=gettext_lazy("upstream order"))
    def upstream_id(self, asked: ServiceRequest) -> str | None:
        return asked.order.upstream_id

    @display(description=gettext_lazy("link or delivery address"))
    def link(self, asked: ServiceRequest) -> str:
        return asked.order.link

    def has_answer_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("orders.change_servicerequest")

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Offer to answer while nobody has; whether it is still so at the press, the operation decides."""
        asked = self.get_object(request, object_id)
        if asked is None or asked.state != State.OPEN:
            return []
        return super().get_actions_detail(request, object_id)

    @action(
        description=gettext_lazy("Done"),
        url_path="answer/done",
        permissions=["answer"],
        variant=ActionVariant.SUCCESS,
        dialog=dialog(
            gettext_lazy("Done"),
            gettext_lazy("You have arranged it with the supplier. The order updates by itself: its status is polled."),
            AnswerForm,
        ),
    )
    def done(self, request: HttpRequest, form: AnswerForm, object_id: str) -> HttpResponse:
        return self._close(request, object_id, State.DONE, form, _("The request is done. The customer can see it."))

    @action(
        description=gettext_lazy("Decline"),
        url_path="answer/decline",
        permissions=["answer"],
        variant=ActionVariant.DANGER,
        dialog=dialog(
            gettext_lazy("Decline"),
            gettext_lazy("Give a reason: the customer sees it on the order's page."),
            RefusalForm,
        ),
    )
    def decline(self, request: HttpRequest, form: AnswerForm, object_id: str) -> HttpResponse:
        return self._close(
            request, object_id, State.DECLINED, form, _("The request has been declined. The customer can see why.")
        )

    def _close(self, request: HttpRequest, object_id: str, state: str, form: AnswerForm, said: str) -> HttpResponse:
        asked = self.get_object(request, object_id)
        if asked is None:
            return go_to(request, reverse("admin:orders_servicerequest_changelist"))
        try:
            close_request(
                asked.pk,
                state=state,
                answer=form.cleaned_data["answer"],
                actor=member_of_staff(request),
                now=timezone.now(),
            )
        except NotYourOwnMoney as refusal:
            messages.error(request, str(refusal))
        except WrongStatus:
            messages.error(request, _("A colleague has already answered this request. Nothing was changed."))
        else:
            self.log_change(request, asked, said)
            messages.success(request, said)
        return go_to(request, reverse("admin:orders_servicerequest_change", args=[asked.pk]))
