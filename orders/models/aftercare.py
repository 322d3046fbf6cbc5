"""What follows an order: the goods that were delivered, what a customer asks for later, what was mailed about it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.money import MicrosField
from catalog.models import Service
from orders.models.order import Order


class DeliveredGoods(models.Model):
    """Accounts that upstream delivered in a status, under FIELD_ENCRYPTION_KEYS; only their buyer reads them."""

    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="goods", verbose_name=_("order"))
    encrypted = models.TextField(editable=False)
    pieces = models.PositiveIntegerField(_("pieces"))
    received_at = models.DateTimeField(_("received"), default=timezone.now)
    # How many pieces there were, and since when: [[2, "2026-11-29T12:00:00+00:00"], …], each time that more came.
    arrivals = models.JSONField(default=list, db_default=[], editable=False)
    # The same for when they were opened: each time that more were there than at any opening before.
    openings = models.JSONField(default=list, db_default=[], editable=False)

    class Meta:
        verbose_name = _("delivered goods")
        verbose_name_plural = _("delivered goods")

    def __str__(self) -> str:
        return f"#{self.order_id}: {self.pieces}"


class GoodsReveal(models.Model):
    """Somebody looked at delivered goods on one day (in UTC), once or, as a program does, very often.

    `address` and `created_at` are of the first look, the others of the last one.
    """

    goods = models.ForeignKey(
        DeliveredGoods, on_delete=models.PROTECT, related_name="reveals", verbose_name=_("delivered goods")
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("customer")
    )
    address = models.GenericIPAddressField(_("from address"), null=True, blank=True)
    created_at = models.DateTimeField(_("time"), default=timezone.now)
    day = models.DateField(_("day"), null=True, blank=True)  # none: one look, written before looks were counted
    looks = models.PositiveIntegerField(_("views"), default=1, db_default=1)
    last_address = models.GenericIPAddressField(_("last from address"), null=True, blank=True)
    last_at = models.DateTimeField(_("last viewed"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("view of delivered goods")
        verbose_name_plural = _("views of delivered goods")
        constraints = [models.UniqueConstraint(fields=["goods", "user", "day"], name="one_row_of_looks_a_day")]
        indexes = [models.Index(fields=["created_at"], name="looks_by_age")]

    def __str__(self) -> str:
        return f"#{self.goods_id} {self.created_at:%Y-%m-%d %H:%M}"


class ServiceRequest(models.Model):
    """A customer asks for a refill or a cancel of an order that upstream is working on; the admin handles it."""

    class Kind(models.TextChoices):
        REFILL = "refill", _("Refill")
        CANCEL = "cancel", _("Cancel")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        DONE = "done", _("Done")
        DECLINED = "declined", _("Declined")

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="requests", verbose_name=_("order"))
    kind = models.CharField(_("request"), max_length=8, choices=Kind)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.OPEN)
    answer = models.CharField(_("answer to the customer"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("requested"), default=timezone.now)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("by"),
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = _("customer request")
        verbose_name_plural = _("customer requests")
        constraints = [
            models.UniqueConstraint(
                fields=["order", "kind"], condition=Q(state="open"), name="one_open_request_of_a_kind"
            )
        ]

    def __str__(self) -> str:
        return f"#{self.order_id} {self.get_kind_display()}"


class RetentionMark(models.Model):
    """How far a job has gone through a table whose old rows it does not delete; see orders.lifecycle.retention."""

    name = models.CharField(max_length=40, unique=True)
    passed_id = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("retention mark")
        verbose_name_plural = _("retention marks")

    def __str__(self) -> str:
        return self.name


class WatchedPrice(models.Model):
    """The selling rate per 1,000 a customer was last told of, for a service they care about; see the price digest."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("customer")
    )
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="+", verbose_name=_("service"))
    rate_per_thousand_micros = MicrosField(_("selling rate per 1,000"))
    updated_at = models.DateTimeField(_("updated"), default=timezone.now)

    class Meta:
        verbose_name = _("watched price")
        verbose_name_plural = _("watched prices")
        constraints = [models.UniqueConstraint(fields=["user", "service"], name="watched_price_once_per_customer")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.service_id}"


class PriceDigestLook(models.Model):
    """When a customer's digest of prices was last looked into, also where there was nothing to watch or to tell."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("customer")
    )
    looked_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("look at prices")
        verbose_name_plural = _("looks at prices")

    def __str__(self) -> str:
        return str(self.user_id)
