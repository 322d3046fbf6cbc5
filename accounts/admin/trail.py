"""The trail as staff reads it: what people with power did. It is only read; how it is kept, `accounts/trail/` says."""

from django.contrib import admin
from django.utils.translation import gettext_lazy
from unfold.decorators import display

from accounts.admin.widgets import ReadOnlyAdmin, json_column
from accounts.models import TrailEntry

Action = TrailEntry.Action
COLOURS = {
    Action.DELETED: "danger",
    Action.SIGN_IN_FAILED: "danger",
    Action.RIGHTS: "warning",
    Action.FACTORS: "warning",
}


@admin.register(TrailEntry)
class TrailEntryAdmin(ReadOnlyAdmin):
    list_display = ("number", "created_at", "shown_action", "actor", "target_type", "target", "target_id", "address")
    list_display_links = ("number", "created_at")
    list_filter = ("action", "target_type", "created_at")
    search_fields = ("actor", "target", "=target_id", "address")
    fields = (
        ("number", "created_at"),
        ("shown_action", "actor", "actor_id"),
        ("address", "agent"),
        ("target_type", "target_id", "target"),
        json_column("before", gettext_lazy("before")),
        json_column("after", gettext_lazy("after")),
    )
    readonly_fields = tuple(name for row in fields for name in (row if isinstance(row, tuple) else (row,)))

    @display(description=gettext_lazy("action"), ordering="action", label=COLOURS)
    def shown_action(self, entry: TrailEntry) -> tuple[str, str]:
        return entry.action, entry.get_action_display()
