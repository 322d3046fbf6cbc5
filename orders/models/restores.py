"""What a database that came back from a backup may have forgotten, and what of it was found upstream."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.money import MicrosField
from orders.models.order import Kind, Order


class RestoreGap(models.Model):
    """The upstream ids of one kind that may belong to orders which a restored database has forgotten.

    They begin after the newest id it knows, and end before the first that answered an order sent since; until there is
    one, `last_id` is empty. Every id in it is asked about once; what answers and is not ours is a `FoundOrder`.
    """

    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    restored_at = models.DateTimeField(_("restored"), default=timezone.now)
    known_until = models.DateTimeField(
        _("known until"), null=True, blank=True, help_text=_("The newest thing that the restored database knows of.")
    )
    first_id = models.BigIntegerField(_("first upstream ID"), null=True, blank=True)
    last_id = models.BigIntegerField(_("last upstream ID"), null=True, blank=True)
    asked_until = models.BigIntegerField(_("asked up to"), null=True, blank=True)
    finished_at = models.DateTimeField(_("all of it asked about"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("gap after a restore")
        verbose_name_plural = _("gaps after a restore")
        constraints = [models.UniqueConstraint(fields=["kind", "restored_at"], name="one_gap_per_kind_and_restore")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.first_id or '?'}–{self.last_id or '?'}"


class FoundOrderQuerySet(models.QuerySet["FoundOrder"]):
    def open(self) -> "FoundOrderQuerySet":
        """Those of which nobody has said yet whose they are."""
        return self.filter(settled_at=None)

    def of_nobody(self) -> "FoundOrderQuerySet":
        """Those that no order here stands for, as far as is known: the shop has paid for them."""
        return self.filter(order=None)


class FoundOrder(models.Model):
    """An order that upstream has from the time a restored database has forgotten: who bought it is not known here.

    It may be that of an order which was waiting to be sent at the backup (then it gets `order`), or one that was
    forgotten altogether. Once staff has said the latter it is `settled_at`, and is nobody's candidate any more.
    """

    gap = models.ForeignKey(RestoreGap, on_delete=models.PROTECT, related_name="found", verbose_name=_("gap"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    upstream_id = models.CharField(_("upstream order"), max_length=64)
    word = models.CharField(_("upstream status"), max_length=100, blank=True)
    charge_upstream_micros = MicrosField(_("upstream charge"), null=True, blank=True)
    start_count = models.BigIntegerField(_("start count"), null=True, blank=True)
    remains = models.BigIntegerField(_("remains"), null=True, blank=True)
    found_at = models.DateTimeField(_("found"), default=timezone.now)
    asked_at = models.DateTimeField(_("last asked about"), default=timezone.now)
    order = models.ForeignKey(
        Order, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("order")
    )
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("by"),
    )
    note = models.CharField(_("note"), max_length=300, blank=True)

    objects = FoundOrderQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("order found after a restore")
        verbose_name_plural = _("orders found after a restore")
        constraints = [
            models.UniqueConstraint(fields=["kind", "upstream_id"], name="found_order_once"),
            models.CheckConstraint(
                condition=Q(order=None) | Q(settled_at__isnull=False), name="found_order_of_ours_is_settled"
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(settled_at=None), name="found_orders_open")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.upstream_id}"
