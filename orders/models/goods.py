"""What is said of delivered goods: by staff how their lines are written, by customers which of them don't work, and
what became of these.
"""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.money import MicrosField
from catalog.models import Category, Service
from orders.models.order import Order
from wallet.models import MoneyRequest


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


class ClaimAnswer(models.Model):
    """What staff answered to a report about goods, for some of its lines; each line is settled by one answer.

    A refund or a replacement that takes two people is carried out once the second one agrees; until then, or if they
    decline, its lines wait. A replacement that can't be delivered has fallen through, and lines of it wait again.
    """

    class Kind(models.TextChoices):
        REPLACED = "replaced", _("Replaced")
        REFUNDED = "refunded", pgettext_lazy("goods", "Refunded")
        REFUSED = "refused", pgettext_lazy("goods", "Refused")

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="claim_answers", verbose_name=_("order"))
    kind = models.CharField(_("answer"), max_length=8, choices=Kind)
    lines = models.JSONField(_("lines"), default=list)  # their numbers, in order
    text = models.CharField(_("in words to the customer"), max_length=500, blank=True)
    # What the customer got back, and what the replacement was to cost us; in the shop's currency.
    refund_micros = MicrosField(_("refund"), default=0)
    cost_micros = MicrosField(_("cost"), default=0)
    replacement = models.OneToOneField(
        Order,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="replacement_of",
        verbose_name=_("replacement"),
    )
    request = models.OneToOneField(
        MoneyRequest,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="claim_answer",
        verbose_name=_("move by hand"),
    )
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("by")
    )
    answered_at = models.DateTimeField(_("answered"), default=timezone.now)
    carried_out_at = models.DateTimeField(_("carried out"), null=True, blank=True)
    fell_through_at = models.DateTimeField(_("fell through"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("answer about goods")
        verbose_name_plural = _("answers about goods")
        constraints = [
            models.CheckConstraint(
                condition=Q(kind="refused", carried_out_at__isnull=False, request=None, refund_micros=0, cost_micros=0)
                | Q(kind="refunded", request__isnull=False, refund_micros__gt=0, cost_micros=0)
                | Q(kind="replaced", request__isnull=False, refund_micros=0, cost_micros__gt=0),
                name="claim_answer_moves_what_it_says",
            ),
            models.CheckConstraint(
                condition=Q(kind="replaced", carried_out_at__isnull=False, replacement__isnull=False)
                | ~Q(kind="replaced", carried_out_at__isnull=False) & Q(replacement=None),
                name="claim_answer_replaces_once_carried_out",
            ),
            models.CheckConstraint(
                condition=Q(fell_through_at=None) | Q(replacement__isnull=False),
                name="only_replacements_fall_through",
            ),
        ]

    def __str__(self) -> str:
        return f"#{self.order_id}: {self.get_kind_display()}"


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

    class State(models.TextChoices):
        """The words of an answer, or that there is none yet."""

        WAITING = "waiting", pgettext_lazy("goods", "Reported")
        REPLACED = "replaced", _("Replaced")
        REFUNDED = "refunded", pgettext_lazy("goods", "Refunded")
        REFUSED = "refused", pgettext_lazy("goods", "Refused")

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="goods_claims", verbose_name=_("order"))
    line = models.PositiveIntegerField(_("line"))
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    text = models.TextField(_("in the customer's words"), blank=True)
    delivered_at = models.DateTimeField(_("delivered"))
    first_opened_at = models.DateTimeField(_("first opened"))
    claimed_at = models.DateTimeField(_("reported"), default=timezone.now)
    state = models.CharField(
        _("state"), max_length=8, choices=State, default=State.WAITING, db_default=State.WAITING.value
    )
    answer = models.ForeignKey(
        ClaimAnswer, null=True, blank=True, on_delete=models.PROTECT, related_name="claims", verbose_name=_("answer")
    )
    # When staff was told that the supplier hears complaints about it for not much longer.
    warned_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("report about goods")
        verbose_name_plural = _("reports about goods")
        constraints = [
            models.UniqueConstraint(fields=["order", "line"], name="a_line_is_claimed_once"),
            models.CheckConstraint(condition=Q(line__gte=1), name="claimed_lines_count_from_one"),
            models.CheckConstraint(
                condition=Q(state="waiting", answer=None) | ~Q(state="waiting") & Q(answer__isnull=False),
                name="a_settled_claim_has_its_answer",
            ),
        ]
        indexes = [models.Index(fields=["delivered_at"], condition=Q(state="waiting"), name="claims_waiting")]

    def __str__(self) -> str:
        return f"#{self.order_id}: {self.line}"
