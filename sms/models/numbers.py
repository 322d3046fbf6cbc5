"""The number behind an order, and what the customer asked to happen with it."""

from dataclasses import dataclass

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.encrypted_fields import EncryptedTextField
from accounts.encryption import CannotDecrypt
from accounts.models import User
from accounts.money import MicrosField
from orders.models import Order
from sms.formats.phones import Phone, phone_of
from sms.models.places import Project


@dataclass(frozen=True)
class Came:
    """What came to a number; `locked` when something did that none of our keys opens at this moment."""

    code: str = ""
    content: str = ""
    locked: bool = False


class NumberQuerySet(models.QuerySet["Number"]):
    def still_open(self) -> "NumberQuerySet":
        """Numbers that are being fetched or wait for their code."""
        return self.filter(state__in=[Number.State.ORDERED, Number.State.WAITING])


class Number(models.Model):
    """The number behind an order of kind "number", and the code that came to it."""

    class State(models.TextChoices):
        ORDERED = "ordered", _("Getting a number")
        WAITING = "waiting", _("Waiting for the code")
        RECEIVED = "received", _("Code received")
        EXPIRED = "expired", _("Expired")
        CANCELED = "canceled", _("Canceled")

    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="number", verbose_name=_("order"))
    project = models.ForeignKey(
        Project,
        on_delete=models.PROTECT,
        related_name="numbers",
        verbose_name=_("SMS project"),
        db_index=False,  # `number_of_project` begins with it
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ORDERED)
    reuse_phone = models.CharField(_("number to reuse"), max_length=40, blank=True)
    phone = models.CharField(_("number"), max_length=40, blank=True)
    # Reading one whose key is gone raises CannotDecrypt: pages show `came`.
    code = EncryptedTextField(_("code"), blank=True, editable=False)
    content = EncryptedTextField(_("message"), blank=True, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    received_at = models.DateTimeField(_("code received"), null=True, blank=True)
    created_at = models.DateTimeField(_("ordered"), default=timezone.now)
    cancel_requested_at = models.DateTimeField(_("canceled by the customer"), null=True, blank=True)
    # A number taken in place of another one; one number is replaced at most once.
    replaces = models.OneToOneField(
        "self",
        verbose_name=_("replaces"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="replaced_by",
    )
    content_wiped_at = models.DateTimeField(_("code and message deleted"), null=True, blank=True)

    objects = NumberQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("number")
        verbose_name_plural = _("numbers")
        constraints = [
            models.CheckConstraint(
                condition=Q(replaces=None) | ~Q(replaces=F("id")), name="no_number_instead_of_itself"
            ),
        ]
        indexes = [
            models.Index(fields=["received_at"], condition=Q(content_wiped_at=None), name="number_content_to_wipe"),
            models.Index(fields=["created_at"], name="number_by_day"),
            models.Index(fields=["project", "created_at"], name="number_of_project"),
            models.Index(fields=["order"], condition=Q(state__in=["ordered", "waiting"]), name="number_still_open"),
        ]

    def __str__(self) -> str:
        return self.phone or f"#{self.order_id}"

    @cached_property
    def forms(self) -> Phone:
        """The phone number with and without the country code; it comes with project and country."""
        return phone_of(self.phone, self.project.country.dial_code)

    @property
    def came(self) -> Came:
        """Code and message as a page shows them, which says so where they cannot be read."""
        try:
            return Came(self.code, self.content)
        except CannotDecrypt:
            return Came(locked=True)

    @property
    def seconds_left(self) -> int | None:
        """Seconds until the number expires, where upstream has said when; never below zero."""
        if self.expires_at is None:
            return None
        return max(0, int((self.expires_at - timezone.now()).total_seconds()))

    @property
    def whole_seconds(self) -> int:
        """How long the number lives in all, where upstream has said when it expires; at least a second."""
        since = self.order.sent_at or self.created_at
        return max(1, int(((self.expires_at or since) - since).total_seconds()))

    @property
    def percent_left(self) -> int:
        """How much of its life is left, in percent."""
        return min(100, (self.seconds_left or 0) * 100 // self.whole_seconds)

    @property
    def given_up(self) -> bool:
        """Whether its customer has canceled it and no code came before that was settled."""
        return self.cancel_requested_at is not None and self.state != Number.State.RECEIVED

    @property
    def was_replaced(self) -> bool:
        """Whether another number was taken in its place; wants `replaced_by` at hand."""
        return getattr(self, "replaced_by", None) is not None

    @property
    def shown_state(self) -> str:
        """The state as its customer reads it: what they gave up does not wait for a code any more."""
        if self.was_replaced:
            return gettext("Replaced")
        return gettext("Canceled by you") if self.given_up else self.get_state_display()

    @property
    def badge(self) -> str:
        """The state whose color that has."""
        return Number.State.CANCELED.value if self.given_up else self.state

    @property
    def time_left(self) -> str:
        """The same as minutes and seconds, `9:05`; nothing where it is not known."""
        seconds = self.seconds_left
        return "" if seconds is None else f"{seconds // 60}:{seconds % 60:02}"


class ReplacementRule(models.Model):
    """What a customer opted into for a number: another one is taken by itself when no code comes for a while."""

    number = models.OneToOneField(
        Number, on_delete=models.CASCADE, related_name="replacement_rule", verbose_name=_("number")
    )
    after_seconds = models.PositiveIntegerField(_("seconds without a code"))
    # What one number may cost at most, in store micros; the price the customer agreed to for the whole chain.
    cap_micros = MicrosField(_("maximum price"))
    any_country = models.BooleanField(_("other countries too"), default=False)
    left = models.PositiveSmallIntegerField(_("replacements left"))
    next_at = models.DateTimeField(_("next replacement"), null=True, blank=True)
    outcome = models.CharField(_("outcome"), max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("automatic replacement")
        verbose_name_plural = _("automatic replacements")
        indexes = [models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="replacement_rule_due")]

    def __str__(self) -> str:
        return str(self.number)


class NumberLimit(models.Model):
    """How many numbers one customer may have; without a row the shop's settings hold."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="number_limit", verbose_name=_("customer"))
    max_open = models.PositiveIntegerField(_("open at once"), null=True, blank=True)
    max_per_day = models.PositiveIntegerField(_("in 24 hours"), null=True, blank=True)
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("number limit")
        verbose_name_plural = _("number limits")

    def __str__(self) -> str:
        return str(self.user)
