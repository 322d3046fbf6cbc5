"""What was found upstream after a restore: staff compares it with the supplier's own list."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.widgets import DialogForm, ReadOnlyAdmin, go_to, member_of_staff, money_column
from orders.admin.widgets import UPSTREAM, dialog
from orders.models import FoundOrder, RestoreGap
from orders.reconciliation.gaps import settle_found

CHARGE = money_column("charge_upstream_micros", gettext_lazy("Upstream charge"), currency=UPSTREAM)


class SettleForm(DialogForm):
    note = forms.CharField(
        label=gettext_lazy("Note"), max_length=300, required=False, widget=UnfoldAdminTextInputWidget
    )


@admin.register(FoundOrder)
class FoundOrderAdmin(ReadOnlyAdmin):
    list_display = ("upstream_id", "kind", "word", CHARGE, "found_at", "order", "settled_at", "note")
    list_filter = ("kind", ("settled_at", admin.EmptyFieldListFilter))
    list_select_related = ("order",)
    search_fields = ("upstream_id",)
    fields = (
        "upstream_id",
        "kind",
        "word",
        CHARGE,
        "start_count",
        "remains",
        "found_at",
        "asked_at",
        "gap",
        "order",
        "settled_at",
        "settled_by",
        "note",
    )
    readonly_fields = fields
    actions_detail = ("settle",)

    def has_settle_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return request.user.has_perm("orders.change_foundorder")

    @action(
        description=gettext_lazy("Of no order here"),
        url_path="settle",
        permissions=["settle"],
        dialog=dialog(
            gettext_lazy("Of no order here"),
            gettext_lazy(
                "Only if the supplier's own list shows that it is of no order that waits here: what waits may be sent "
                "again then. If it is of one, say so on that order's page instead."
            ),
            SettleForm,
        ),
    )
    def settle(self, request: HttpRequest, form: SettleForm, object_id: str) -> HttpResponse:
        found = self.get_object(request, object_id)
        note = form.cleaned_data["note"]
        if found is not None and settle_found(found.pk, note=note, actor=member_of_staff(request), now=timezone.now()):
            done = _("It is of no order here.")
            self.log_change(request, found, done)
            messages.success(request, done)
        else:
            messages.warning(request, _("It was settled already."))
        return go_to(request, reverse("admin:orders_foundorder_changelist"))


@admin.register(RestoreGap)
class RestoreGapAdmin(ReadOnlyAdmin):
    list_display = ("restored_at", "kind", "known_until", "first_id", "last_id", "asked_until", "finished_at")
    list_filter = ("kind",)
