"""What the shop knows of its supplier: its words, its refusals, its money, and when forwarding stands still."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.money import MicrosField
from catalog.models import Category, Service
from orders.models.order import Kind, Status
from upstream.errors import plain_text


class KnownRefusal(models.Model):
    """An error text of upstream that the admin has read and listed: it surely means that nothing was bought."""

    class Meaning(models.TextChoices):
        ORDER = "order", _("This order can't be completed: fail and refund it")
        FLAG = "flag", _("Fail and refund the order, and flag it for review")
        SERVICE = "service", _("The service is gone: fail and refund the order, withdraw the service")
        BALANCE = "balance", _("Our upstream balance is too low: wait")
        KEY = "key", _("Our upstream key is not accepted: wait")
        LATER = "later", _("Too many requests, nothing was done: send again later")

    text = models.CharField(_("full error text"), max_length=300, unique=True)
    # Three times as long: letters such as "\u0390" become three in lower case. NULL: written by an older version.
    plain_text = models.CharField(max_length=900, null=True, unique=True, editable=False)  # noqa: DJ001 - as said
    meaning = models.CharField(_("meaning"), max_length=8, choices=Meaning, default=Meaning.ORDER)
    created_at = models.DateTimeField(_("added"), default=timezone.now)

    class Meta:
        ordering = ["text"]
        verbose_name = _("known refusal")
        verbose_name_plural = _("known refusals")

    def __str__(self) -> str:
        return self.text

    def clean(self) -> None:
        """Refuse a text that is listed already, in whatever spelling."""
        if KnownRefusal.objects.filter(plain_text=plain_text(self.text)).exclude(pk=self.pk).exists():
            raise ValidationError({"text": _("This text is listed already.")})

    def save(self, *args, **kwargs) -> None:
        self.plain_text = plain_text(self.text)
        super().save(*args, **kwargs)


class ForwardingPause(models.Model):
    """A time in which no order is sent because the shop itself is refused upstream. Ends by itself or by the admin."""

    class Reason(models.TextChoices):
        BALANCE = "balance", _("The upstream balance is too low")
        KEY = "key", _("The upstream key is not accepted")
        ADMIN = "admin", _("Paused by an admin")
        RESTORED = "restored", _("Restored from a backup")
        CURRENCY = "currency", _("Upstream's currency has changed")

    reason = models.CharField(_("reason"), max_length=8, choices=Reason)
    detail = models.CharField(_("detail"), max_length=300, blank=True)
    started_at = models.DateTimeField(_("since"), default=timezone.now)
    ended_at = models.DateTimeField(_("until"), null=True, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("ended by"),
    )
    proved_at = models.DateTimeField(
        _("first order accepted afterward"),
        null=True,
        blank=True,
        help_text=_("Until then, orders are sent one at a time."),
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = _("forwarding pause")
        verbose_name_plural = _("forwarding pauses")
        constraints = [
            models.UniqueConstraint(fields=["reason"], condition=Q(ended_at=None), name="one_open_pause_per_reason")
        ]

    def __str__(self) -> str:
        return self.get_reason_display()


class UpstreamEntryQuerySet(models.QuerySet["UpstreamEntry"]):
    def counted(self) -> "UpstreamEntryQuerySet":
        """The entries that make up the account; what was entered before the opening balance is part of that already."""
        opening = UpstreamEntry.objects.filter(kind=UpstreamEntry.Kind.OPENING)
        return self.filter(pk__gte=models.Subquery(opening.values("pk")[:1]))


class UpstreamEntry(models.Model):
    """Money on the upstream account that no order explains: what was there at first, and what the admin paid in."""

    class Kind(models.TextChoices):
        OPENING = "opening", _("Opening balance")
        TOP_UP = "top_up", _("Paid to upstream")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.TOP_UP)
    amount_upstream_micros = MicrosField(_("amount, in upstream's currency"))
    note = models.CharField(_("note"), max_length=300, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    objects = UpstreamEntryQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("upstream account entry")
        verbose_name_plural = _("upstream account entries")
        constraints = [
            models.UniqueConstraint(fields=["kind"], condition=Q(kind="opening"), name="one_upstream_opening_balance")
        ]

    def __str__(self) -> str:
        return self.get_kind_display()


class UpstreamBalance(models.Model):
    """What the upstream account held at a moment; evidence for lost answers, and the base of the forecast."""

    amount_upstream_micros = MicrosField(_("balance, in upstream's currency"))
    asked_at = models.DateTimeField(_("requested"), default=timezone.now, db_index=True)
    low = models.BooleanField(_("low"), default=False, help_text=_("Not enough for paid orders and the near future."))

    class Meta:
        ordering = ["-asked_at"]
        verbose_name = _("upstream balance")
        verbose_name_plural = _("upstream balances")

    def __str__(self) -> str:
        return f"{self.asked_at:%Y-%m-%d %H:%M}"


class StatusWord(models.Model):
    """A status word of upstream that the admin has told us the meaning of, without a new version of the program."""

    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.SERVICE)
    word = models.CharField(_("upstream word"), max_length=100, help_text=_("Not case-sensitive."))
    status = models.CharField(
        _("meaning"),
        max_length=12,
        choices=[
            (Status.PENDING, Status.PENDING.label),
            (Status.IN_PROGRESS, Status.IN_PROGRESS.label),
            (Status.COMPLETED, Status.COMPLETED.label),
            (Status.PARTIAL, Status.PARTIAL.label),
            (Status.CANCELED, Status.CANCELED.label),
        ],
    )
    created_at = models.DateTimeField(_("added"), default=timezone.now)

    class Meta:
        ordering = ["word"]
        verbose_name = _("status word")
        verbose_name_plural = _("status words")
        constraints = [models.UniqueConstraint(fields=["kind", "word"], name="status_word_once_per_kind")]

    def __str__(self) -> str:
        return self.word

    def save(self, *args, **kwargs) -> None:
        self.word = self.word.strip().lower()
        super().save(*args, **kwargs)


class ContractDrift(models.Model):
    """Something upstream said that its document does not have: counted, shown to the admin, mapped by hand."""

    class Subject(models.TextChoices):
        STATUS_WORD = "status_word", _("Unknown status word")
        ERROR_TEXT = "error_text", _("Unknown error text for a purchase")
        ASSUMPTION = "assumption", _("Failed assumption about order IDs")
        SERVICE_TYPE = "service_type", _("Unknown service type")
        SET_ASIDE = "set_aside", _("Rows a sync couldn't use")
        UNREADABLE = "unreadable", _("Unreadable answer")

    subject = models.CharField(_("subject"), max_length=12, choices=Subject)
    text = models.CharField(_("text"), max_length=300)
    sample = models.JSONField(_("sample"), default=dict, blank=True)
    times = models.PositiveIntegerField(_("occurrences"), default=1)
    first_seen_at = models.DateTimeField(_("first seen"), default=timezone.now)
    last_seen_at = models.DateTimeField(_("last seen"), default=timezone.now)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)

    class Meta:
        ordering = ["settled_at", "-last_seen_at"]
        verbose_name = _("contract drift")
        verbose_name_plural = _("contract drifts")
        constraints = [models.UniqueConstraint(fields=["subject", "text"], name="one_drift_per_text")]

    def __str__(self) -> str:
        return f"{self.get_subject_display()}: {self.text}"


class UpstreamAssumption(models.Model):
    """Something reconciliation relies on and checks against our own history; broken, it is not relied on any more."""

    class Name(models.TextChoices):
        IDS_ASCEND = "ids_ascend", _("Upstream's order IDs ascend")
        FOREIGN_NOT_FOUND = "foreign", _('Orders that aren\'t ours return "Order not found"')

    name = models.CharField(_("assumption"), max_length=10, choices=Name)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    broken_at = models.DateTimeField(_("broken"), null=True, blank=True)
    evidence = models.JSONField(_("evidence"), default=dict, blank=True)

    class Meta:
        ordering = ["name", "kind"]
        verbose_name = _("upstream assumption")
        verbose_name_plural = _("upstream assumptions")
        constraints = [models.UniqueConstraint(fields=["name", "kind"], name="one_row_per_assumption")]

    def __str__(self) -> str:
        return f"{self.get_name_display()} ({self.get_kind_display()})"


class ServicePace(models.Model):
    """How long orders of a service usually take, learned from those that finished; it sets how often we ask."""

    service = models.OneToOneField(
        "catalog.Service", on_delete=models.CASCADE, related_name="pace", verbose_name=_("service")
    )
    finished = models.PositiveIntegerField(_("finished orders"), default=0)
    usual_seconds = models.PositiveIntegerField(_("usual time, seconds"), default=0)

    class Meta:
        verbose_name = _("usual completion time")
        verbose_name_plural = _("usual completion times")

    def __str__(self) -> str:
        return f"{self.service_id}: {self.usual_seconds} s"


class ServiceCost(Service):
    """A service seen from its costs: what its orders were expected to cost upstream, and what they did."""

    class Meta:
        proxy = True
        verbose_name = _("service cost")
        verbose_name_plural = _("service costs")


class RateUnitQuestion(Category):
    """A category of which nobody knows how many pieces its rates buy, seen with what helps to find out."""

    class Meta:
        proxy = True
        verbose_name = _("rate unit to confirm")
        verbose_name_plural = _("rate units to confirm")
