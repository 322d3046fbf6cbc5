"""What needs a human, and which answers never came, as staff sees it: what was noted, and what became of it."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.admin.widgets import ReadOnlyAdmin, ReadOnlyInline, json_column, money_column
from orders.admin.widgets import UPSTREAM
from orders.lifecycle.attention import text_of
from orders.models import AttentionFlag, LostAttempt


@display(description=gettext_lazy("what is wrong"))
def shown_text(flag: AttentionFlag) -> str:
    """What the flag says, as its code and details have it."""
    return text_of(flag)


class FlagInline(ReadOnlyInline):
    """Every flag of an order, the cleared ones included."""

    model = AttentionFlag
    fields = (shown_text, "raised_at", "cleared_at", "cleared_by")
    readonly_fields = fields

    def get_queryset(self, request: HttpRequest) -> QuerySet[AttentionFlag]:
        return super().get_queryset(request).select_related("cleared_by", "order")


@admin.register(AttentionFlag)
class AttentionFlagAdmin(ReadOnlyAdmin):
    list_display = ("order", "code", shown_text, "raised_at", "cleared_at", "cleared_by")
    list_filter = (("cleared_at", admin.EmptyFieldListFilter), "code", "raised_at")
    list_select_related = ("order", "cleared_by")
    search_fields = ("order__id__exact", "order__user__email")
    ordering = ("-id",)
    fields = ("order", "code", shown_text, ("raised_at", "cleared_at"), "cleared_by")
    readonly_fields = ("order", "code", shown_text, "raised_at", "cleared_at", "cleared_by")


@admin.register(LostAttempt)
class LostAttemptAdmin(ReadOnlyAdmin):
    list_display = ("order", "number", "sent_at", "shown_cause", "state", "upstream_id")
    list_filter = ("state", "kind", "cause", "sent_at")
    list_select_related = ("order",)
    search_fields = ("order__id__exact", "order__user__email", "upstream_id")
    ordering = ("-id",)
    fields = (
        "order",
        ("number", "sent_at", "id_before"),
        "shown_cause",
        ("state", "settled_at"),
        ("upstream_id", money_column("charge_upstream_micros", gettext_lazy("upstream charge"), currency=UPSTREAM)),
        ("closed_at", "closed_at_id"),
        ("shown_doubt", "looked_at"),
        json_column("evidence", gettext_lazy("findings")),
    )
    readonly_fields = tuple(name for row in fields for name in (row if isinstance(row, tuple) else (row,)))

    @display(description=gettext_lazy("why the answer is not known"), ordering="cause")
    def shown_cause(self, attempt: LostAttempt) -> str:
        return attempt.cause_text

    @display(description=gettext_lazy("why it is not settled"), ordering="doubt")
    def shown_doubt(self, attempt: LostAttempt) -> str:
        return attempt.doubt_text
