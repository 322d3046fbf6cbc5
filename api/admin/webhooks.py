"""The API's tables as staff sees them: never a secret, never what a message says."""

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy

from accounts.admin.list_filters import known_values
from accounts.admin.widgets import ReadOnlyAdmin
from api.models import Webhook, WebhookDelivery
from api.webhooks.events import EVENTS


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    list_display = ("__str__", "user", "wants_orders", "wants_numbers", "failing_since", "disabled_at")
    list_filter = (("disabled_at", admin.EmptyFieldListFilter), ("failing_since", admin.EmptyFieldListFilter))
    list_select_related = ("user",)
    search_fields = ("name", "url", "user__email")
    named_by = ("name",)
    fields = (
        *("user", "name", "url", ("wants_orders", "wants_numbers"), "created_at"),
        *("failing_since", ("disabled_at", "disabled_because")),
    )


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ReadOnlyAdmin):
    list_display = ("event", "webhook", "customer", "order", "created_at", "attempts", "http_status", "delivered_at")
    list_filter = (
        ("delivered_at", admin.EmptyFieldListFilter),
        ("given_up_at", admin.EmptyFieldListFilter),
        known_values("event", gettext_lazy("event"), lambda: [(event, event) for event in EVENTS]),
        "created_at",
    )
    list_select_related = ("webhook__user", "order")
    search_fields = ("event_id__exact", "order__id__exact", "webhook__url", "webhook__user__email")
    fields = (
        *("event", "event_id", "webhook", "order", "created_at", "attempts"),
        *("next_attempt_at", ("http_status", "error"), ("delivered_at", "given_up_at"), "wiped_at"),
    )

    @admin.display(description=gettext_lazy("customer"), ordering="webhook__user__email")
    def customer(self, delivery: WebhookDelivery) -> Any:
        return delivery.webhook.user
