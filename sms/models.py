"""SMS numbers: where they can be had, what they cost, and the number behind an order."""

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.money import MicrosField
from orders.models import Order


class Country(models.Model):
    """A country in which upstream has numbers, keyed by the id its projects use."""

    code = models.CharField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=100)
    visible = models.BooleanField(_("visible"), default=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("country")
        verbose_name_plural = _("countries")

    def __str__(self) -> str:
        return self.name

    @property
    def flag(self) -> str:
        """The flag emoji of a two-letter code, else nothing."""
        code = self.code.upper()
        if len(code) != 2 or not code.isascii() or not code.isalpha():
            return ""
        return "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in code)


class ProjectQuerySet(models.QuerySet["Project"]):
    def on_sale(self) -> "ProjectQuerySet":
        return self.filter(withdrawn_at=None, visible=True, country__visible=True)

    def matching(self, words: str) -> "ProjectQuerySet":
        """Projects whose name or country contain every word, in any order and any case."""
        found = self
        for word in words.lower().split()[:10]:
            found = found.filter(search_text__contains=word)
        return found


class Project(models.Model):
    """One website or app in one country: what a number is bought for."""

    upstream_id = models.CharField(_("upstream id"), max_length=64)
    country = models.ForeignKey(Country, on_delete=models.PROTECT, related_name="projects", verbose_name=_("country"))
    name = models.CharField(_("name"), max_length=200)
    search_text = models.CharField(editable=False, max_length=400, default="")
    price_upstream_micros = MicrosField(_("upstream price"))
    visible = models.BooleanField(_("visible"), default=True)
    missed_syncs = models.PositiveSmallIntegerField(_("syncs without it"), default=0)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["name", "country__name"]
        verbose_name = _("SMS project")
        verbose_name_plural = _("SMS projects")
        constraints = [models.UniqueConstraint(fields=["upstream_id", "country"], name="project_once_per_country")]
        indexes = [models.Index(fields=["name"], condition=Q(withdrawn_at=None), name="project_shelf")]

    def __str__(self) -> str:
        return f"{self.name} · {self.country}"


class Number(models.Model):
    """The number behind an order of kind "number", and the code that came to it."""

    class State(models.TextChoices):
        ORDERED = "ordered", _("Being fetched")
        WAITING = "waiting", _("Waiting for the code")
        RECEIVED = "received", _("Code received")
        EXPIRED = "expired", _("Expired")
        CANCELED = "canceled", _("Canceled")

    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="number", verbose_name=_("order"))
    project = models.ForeignKey(
        Project, on_delete=models.PROTECT, related_name="numbers", verbose_name=_("SMS project")
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.ORDERED)
    reuse_phone = models.CharField(_("number to reuse"), max_length=40, blank=True)
    phone = models.CharField(_("number"), max_length=40, blank=True)
    code = models.CharField(_("code"), max_length=40, blank=True)
    content = models.TextField(_("message"), blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    received_at = models.DateTimeField(_("code received"), null=True, blank=True)
    created_at = models.DateTimeField(_("ordered"), default=timezone.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("number")
        verbose_name_plural = _("numbers")

    def __str__(self) -> str:
        return self.phone or f"#{self.order_id}"

    @property
    def seconds_left(self) -> int | None:
        """Seconds until the number expires, where upstream has said when; never below zero."""
        if self.expires_at is None:
            return None
        return max(0, int((self.expires_at - timezone.now()).total_seconds()))

    @property
    def time_left(self) -> str:
        """The same as minutes and seconds, `9:05`; nothing where it is not known."""
        seconds = self.seconds_left
        return "" if seconds is None else f"{seconds // 60}:{seconds % 60:02}"
