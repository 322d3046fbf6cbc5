"""The test money and the simulated orders of test keys; no real wallet or order is ever touched by them."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.money import MicrosField
from catalog.models import Service
from sms.models import Project


class SimulatedWallet(models.Model):
    """What a customer's test keys have to spend."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="test_wallet", verbose_name=_("customer"))
    balance_micros = MicrosField(_("balance"))

    class Meta:
        verbose_name = _("test wallet")
        verbose_name_plural = _("test wallets")
        constraints = [models.CheckConstraint(condition=Q(balance_micros__gte=0), name="test_balance_not_negative")]

    def __str__(self) -> str:
        return str(self.user)


class SimulatedOrder(models.Model):
    """An order or a number that a test key "bought". Its link says how it goes: `api.test_mode.scenarios`."""

    class Kind(models.TextChoices):
        SERVICE = "service", _("Service")
        NUMBER = "number", _("SMS number")

    user = models.ForeignKey(
        User, on_delete=models.CASCADE, related_name="simulated_orders", verbose_name=_("customer")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    service = models.ForeignKey(
        Service, null=True, blank=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("service")
    )
    project = models.ForeignKey(
        Project, null=True, blank=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("SMS project")
    )
    link = models.CharField(_("link"), max_length=2000, blank=True)
    quantity = models.PositiveIntegerField(_("quantity"))
    price_micros = MicrosField(_("price"))
    phone = models.CharField(_("number"), max_length=40, blank=True)
    request_id = models.CharField(_("request ID"), max_length=64, blank=True)
    request_digest = models.CharField(max_length=64, blank=True, editable=False)
    refunded_micros = MicrosField(_("refunded"), default=0)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    canceled_at = models.DateTimeField(_("canceled"), null=True, blank=True)
    # Nothing more can become of it, and what was due has been given back.
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("test order")
        verbose_name_plural = _("test orders")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="service", service__isnull=False, project=None)
                | Q(kind="number", service=None, project__isnull=False),
                name="simulated_order_is_for_one_thing",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "request_id"], name="simulated_order_by_request_id"),
            models.Index(fields=["user"], condition=Q(settled_at=None), name="simulated_order_under_way"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk}"
