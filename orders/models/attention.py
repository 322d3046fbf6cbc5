"""What a human should look at: one row for each thing that is wrong with an order, as long as it is and afterwards."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AttentionFlagQuerySet(models.QuerySet["AttentionFlag"]):
    def open(self) -> "AttentionFlagQuerySet":
        return self.filter(cleared_at=None)

    def delaying(self) -> "AttentionFlagQuerySet":
        """Open flags whose orders wait for a human; the others are about money or about what is over."""
        return self.open().filter(code__in=AttentionFlag.DELAYING)


class AttentionFlag(models.Model):
    """An order needs a human because of `code`. `details` are for people: no code decides by them.

    The text is made of both when it is shown, see `orders.lifecycle.attention`. Several codes may be open at once.
    """

    class Code(models.TextChoices):
        PERHAPS_PLACED = "perhaps_placed", _("No clear answer from upstream")
        REFUSED = "refused", _("Refused upstream")
        SOLD_AT_A_LOSS = "loss", _("Held: sold at a loss")
        SERVICE_PAUSED = "paused", _("Held: the service is paused")
        HELD_BY_STAFF = "staff", _("Held by staff")
        LATE_ANSWER = "late_answer", _("Placed upstream after it was settled")
        BOUGHT_TWICE = "bought_twice", _("Bought twice")
        PERHAPS_TWICE = "perhaps_twice", _("Perhaps bought twice")
        NOT_FOUND = "not_found", _("Upstream does not know it any more")
        UNKNOWN_WORD = "unknown_word", _("Unknown status word")
        NO_REMAINS = "no_remains", _("Partial, without what remains")
        WENT_BACK = "went_back", _("Upstream took a status back")
        CHANGED_LATE = "changed_late", _("Changed after it was finished")
        MORE_THAN_ASKED = "more", _("More placed upstream than was asked for")
        OVERCHARGED = "overcharged", _("Charged more than was paid")
        CHARGE_KEPT = "charge_kept", _("Charged though it was canceled")
        UNDERCHARGED = "undercharged", _("Charged far less than expected")
        NO_GOODS = "no_goods", _("Completed, but no goods came")

    DELAYING = (
        Code.PERHAPS_PLACED,
        Code.SOLD_AT_A_LOSS,
        Code.SERVICE_PAUSED,
        Code.HELD_BY_STAFF,
        Code.NOT_FOUND,
        Code.UNKNOWN_WORD,
        Code.NO_REMAINS,
        Code.NO_GOODS,
    )

    order = models.ForeignKey("orders.Order", on_delete=models.PROTECT, related_name="flags", verbose_name=_("order"))
    code = models.CharField(_("what is wrong"), max_length=16, choices=Code)
    details = models.JSONField(_("details"), default=dict, blank=True)
    raised_at = models.DateTimeField(_("since"), default=timezone.now)
    cleared_at = models.DateTimeField(_("until"), null=True, blank=True)
    cleared_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("by"),
    )

    objects = AttentionFlagQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name = _("attention flag")
        verbose_name_plural = _("attention flags")
        constraints = [
            models.UniqueConstraint(
                fields=["order", "code"], condition=Q(cleared_at=None), name="one_open_flag_per_order_and_code"
            ),
            models.CheckConstraint(
                condition=Q(cleared_by=None) | Q(cleared_at__isnull=False), name="only_a_cleared_flag_was_cleared_by"
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.order_id} {self.get_code_display()}"
