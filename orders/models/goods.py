"""What is said of delivered goods: by staff how their lines are written, by customers which of them don't work."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from catalog.models import Category, Service
from orders.models.order import Order


class GoodsFormat(models.Model):
    """How the lines of a service's goods are written, or of a whole category's where the service has no rule."""

    service = models.OneToOneField(
        Service, null=True, blank=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("service")
    )
    category = models.OneToOneField(
        Category, null=True, blank=True, on_delete=models.CASCADE, related_name="+", verbose_name=_("category")
    )
    columns = models.CharField(
        _("columns"),
        max_length=300,
        help_text=_("Written like a line, for example login:password:email:email_password."),
    )
    separator = models.CharField(
        _("separator"),
        max_length=8,
        blank=True,
        help_text=_("What parts the delivered lines, if it isn't what parts the columns above. Write \\t for a tab."),
    )
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("goods format")
        verbose_name_plural = _("goods formats")
        constraints = [
            models.CheckConstraint(
                condition=Q(service__isnull=False, category=None) | Q(service=None, category__isnull=False),
                name="goods_format_is_for_one_thing",
                violation_error_message=_("Choose either a service or a category."),
            )
        ]

    def __str__(self) -> str:
        return self.columns


class GoodsClaim(models.Model):
    """A customer says that one delivered line doesn't work, and what we know of when they had it.

    Lines are counted from 1, in the order in which they came: none is ever taken away, so the number stays true. What
    the line says is not repeated here.
    """

    class Reason(models.TextChoices):
        SIGN_IN = "sign_in", _("Can't sign in: wrong login or password")
        LOCKED = "locked", _("Locked, banned or asks for a confirmation I can't give")
        USED = "used", _("Already used by somebody else")
        INCOMPLETE = "incomplete", _("Not what was described, or something is missing")
        OTHER = "other", pgettext_lazy("reason", "Something else")

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="goods_claims", verbose_name=_("order"))
    line = models.PositiveIntegerField(_("line"))
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    text = models.TextField(_("in the customer's words"), blank=True)
    delivered_at = models.DateTimeField(_("delivered"))
    first_opened_at = models.DateTimeField(_("first opened"))
    claimed_at = models.DateTimeField(_("reported"), default=timezone.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("report about goods")
        verbose_name_plural = _("reports about goods")
        constraints = [
            models.UniqueConstraint(fields=["order", "line"], name="a_line_is_claimed_once"),
            models.CheckConstraint(condition=Q(line__gte=1), name="claimed_lines_count_from_one"),
        ]

    def __str__(self) -> str:
        return f"#{self.order_id}: {self.line}"
