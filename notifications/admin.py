"""The outbox as staff sees it."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin.widgets import ReadOnlyAdmin
from notifications.models import Notice
from notifications.outbox import send_again


@admin.register(Notice)
class NoticeAdmin(ReadOnlyAdmin):
    list_display = ("subject", "recipient", "created_at", "sent_at", "tries", "key")
    list_filter = (("sent_at", admin.EmptyFieldListFilter), ("user", admin.EmptyFieldListFilter), "created_at")
    list_select_related = ("user",)
    search_fields = ("key", "subject", "user__email")
    fields = ("recipient", "subject", "body", "key", ("created_at", "sent_at"), ("tries", "not_before"))
    readonly_fields = ("recipient", "subject", "body", "key", "created_at", "sent_at", "tries", "not_before")
    actions = ("resend",)

    @admin.display(description=gettext_lazy("recipient"), ordering="user__email")
    def recipient(self, notice: Notice) -> str:
        return notice.user.email if notice.user else _("Admins")

    def has_resend_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("notifications.change_notice")

    @admin.action(description=gettext_lazy("Send again"), permissions=["resend"])
    def resend(self, request: HttpRequest, queryset: QuerySet[Notice]) -> None:
        count = send_again(queryset.values_list("pk", flat=True))
        words = ngettext("%(count)d notice will be sent again.", "%(count)d notices will be sent again.", count)
        messages.success(request, words % {"count": count})
