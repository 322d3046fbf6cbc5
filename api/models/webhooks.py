"""Where a customer wants to be told of changes, and every message that was or will be sent there."""

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from orders.models import Order


class Webhook(models.Model):
    """An address of a customer's own that is told of every change of an order or a number."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="webhooks", verbose_name=_("customer"))
    name = models.CharField(_("name"), max_length=80, blank=True)
    url = models.URLField(_("address"), max_length=500)
    # The address's host and port: few messages at a time go to each.
    host = models.CharField(editable=False, max_length=300, blank=True, default="")
    secret_encrypted = models.CharField(editable=False, max_length=500)
    # The secret before: it signs as well until then, so that a receiver has time to take the new one.
    old_secret_encrypted = models.CharField(editable=False, max_length=500, blank=True)
    old_secret_until = models.DateTimeField(null=True, blank=True, editable=False)
    wants_orders = models.BooleanField(_("order changes"), default=True)
    wants_numbers = models.BooleanField(_("SMS number changes"), default=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    # The first failure since the last success; nothing since then got through.
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    disabled_at = models.DateTimeField(_("switched off"), null=True, blank=True)
    disabled_because = models.CharField(_("reason"), max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")
        indexes = [models.Index(fields=["user"], condition=Q(disabled_at=None), name="webhook_in_use")]

    def __str__(self) -> str:
        return self.name or self.url


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def due(self, now: datetime) -> "WebhookDeliveryQuerySet":
        """Messages whose time has come and that no sender has in hand, to webhooks that are on."""
        unclaimed = Q(claimed_until=None) | Q(claimed_until__lte=now)
        return self.filter(unclaimed, next_attempt_at__lte=now, webhook__disabled_at=None)


class WebhookDelivery(models.Model):
    """One message to one webhook: waiting, delivered, or given up. Written in the transaction of the change."""

    webhook = models.ForeignKey(Webhook, on_delete=models.CASCADE, related_name="deliveries", verbose_name=_("webhook"))
    # What the receiver recognizes a repeat by; a replay keeps it.
    event_id = models.UUIDField(_("event ID"), default=uuid.uuid4)
    event = models.CharField(_("event"), max_length=40)
    order = models.ForeignKey(
        Order, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("order")
    )
    # Made at the first attempt and kept, so that every attempt says the same. May hold a code: only its buyer reads it.
    body_encrypted = models.TextField(editable=False, blank=True)
    wiped_at = models.DateTimeField(_("body deleted"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, blank=True, default=timezone.now)
    claim_token = models.UUIDField(null=True, blank=True, editable=False)
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)
    given_up_at = models.DateTimeField(_("attempts ended"), null=True, blank=True)
    http_status = models.PositiveSmallIntegerField(_("HTTP status"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=300, blank=True)

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [
            models.UniqueConstraint(fields=["webhook", "event_id"], name="an_event_once_per_webhook"),
            models.CheckConstraint(
                condition=Q(delivered_at=None) | Q(next_attempt_at=None), name="what_is_delivered_is_not_sent_again"
            ),
        ]
        indexes = [
            models.Index(fields=["next_attempt_at"], condition=Q(next_attempt_at__isnull=False), name="delivery_due"),
            models.Index(fields=["webhook", "-id"], name="delivery_log"),
            models.Index(fields=["claimed_until"], condition=Q(claimed_until__isnull=False), name="delivery_under_way"),
            models.Index(fields=["created_at"], name="delivery_by_day"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.event_id}"

    @property
    def state(self) -> str:
        """One word: delivered, given_up, failing (tried, to be tried again) or waiting."""
        if self.delivered_at is not None:
            return "delivered"
        if self.next_attempt_at is None:
            return "given_up"
        return "failing" if self.error else "waiting"
