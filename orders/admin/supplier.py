"""The supplier as staff sees it: when forwarding stands still, and the money on the upstream account."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import BaseDialogForm
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.widgets import (
    DialogForm,
    ModelAdmin,
    ReadOnlyAdmin,
    go_to,
    member_of_staff,
    money_column,
)
from orders.admin.widgets import UPSTREAM, dialog
from orders.fulfilment.pauses import end_pause, pause_forwarding
from orders.models import ForwardingPause, UpstreamEntry


class PauseForm(DialogForm):
    detail = forms.CharField(
        label=gettext_lazy("Reason"), max_length=300, required=False, widget=UnfoldAdminTextInputWidget
    )


@admin.register(ForwardingPause)
class ForwardingPauseAdmin(ReadOnlyAdmin):
    list_display = ("reason", "detail", "started_at", "ended_at", "proved_at")
    list_filter = ("reason", ("ended_at", admin.EmptyFieldListFilter))
    actions_list = ("pause",)
    actions_row = ("resume",)
    actions_detail = ("resume",)

    def has_forwarding_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("orders.change_forwardingpause")

    @action(
        description=gettext_lazy("Pause forwarding"),
        url_path="pause",
        permissions=["forwarding"],
        variant=ActionVariant.WARNING,
        dialog=dialog(
            gettext_lazy("Pause forwarding"),
            gettext_lazy("Paid orders keep their place in the queue until you resume. Customers can still order."),
            PauseForm,
        ),
    )
    def pause(self, request: HttpRequest, form: PauseForm) -> HttpResponse:
        pause_forwarding(reason=ForwardingPause.Reason.ADMIN, detail=form.cleaned_data["detail"], now=timezone.now())
        messages.success(request, _("Forwarding is paused."))
        return go_to(request, reverse("admin:orders_forwardingpause_changelist"))

    @action(
        description=gettext_lazy("Resume now"),
        url_path="resume",
        permissions=["forwarding"],
        dialog=dialog(
            gettext_lazy("Resume now"),
            gettext_lazy("Waiting orders will be sent, unless another pause is still active."),
        ),
    )
    def resume(self, request: HttpRequest, form: BaseDialogForm, object_id: str) -> HttpResponse:
        pause = self.get_object(request, object_id)
        if pause is not None and end_pause(pause.pk, actor=member_of_staff(request), now=timezone.now()):
            messages.success(request, _("This pause has ended."))
        else:
            messages.warning(request, _("This pause had already ended."))
        return go_to(request, reverse("admin:orders_forwardingpause_changelist"))


@admin.register(UpstreamEntry)
class UpstreamEntryAdmin(ModelAdmin):
    """What was paid into the upstream account. Entries are added, never edited: a mistake is mended by another."""

    list_display = (
        "created_at",
        "kind",
        money_column("amount_upstream_micros", gettext_lazy("amount"), currency=UPSTREAM),
        "note",
        "created_by",
    )
    list_filter = ("kind", "created_at")
    list_select_related = ("created_by",)
    fields = ("kind", "amount_upstream_micros", "note")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: UpstreamEntry, form: Any, change: bool) -> None:
        obj.created_by = member_of_staff(request)
        super().save_model(request, obj, form, change)
        if not UpstreamEntry.objects.filter(kind=UpstreamEntry.Kind.OPENING).exists():
            text = _(
                "The balance of the upstream account when the first order is sent becomes the opening "
                "balance. This entry will be part of it and won't be counted twice."
            )
            messages.info(request, text)
