"""What the shop tells its customers of its own accord, and who does not want to read it again."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import CustomerGroup


class Announcement(models.Model):
    """A piece of news, in plain text: `titles`, `texts` and `link_labels` are {language: text}.

    While it lasts, its title stands in a bar on the pages of those it is for; the page of all announcements keeps it.
    """

    class Audience(models.TextChoices):
        ALL = "all", pgettext_lazy("audience", "Everybody")
        CUSTOMERS = "customers", pgettext_lazy("audience", "Customers who are signed in")
        RESELLERS = "resellers", pgettext_lazy("audience", "Resellers")
        GROUP = "group", pgettext_lazy("audience", "A customer group")

    class Level(models.TextChoices):
        INFO = "info", pgettext_lazy("level", "News")
        SUCCESS = "success", pgettext_lazy("level", "Good news")
        WARNING = "warning", pgettext_lazy("level", "Important")

    titles = models.JSONField(_("title"))
    texts = models.JSONField(_("text"), default=dict, blank=True)
    link = models.CharField(_("link"), max_length=500, blank=True)
    link_labels = models.JSONField(_("words of the link"), default=dict, blank=True)
    audience = models.CharField(_("for"), max_length=9, choices=Audience, default=Audience.ALL)
    group = models.ForeignKey(
        CustomerGroup,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("customer group"),
    )
    level = models.CharField(_("level"), max_length=7, choices=Level, default=Level.INFO)
    dismissable = models.BooleanField(_("can be dismissed"), default=True)
    starts_at = models.DateTimeField(_("from"), default=timezone.now)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("written by"),
    )
    created_at = models.DateTimeField(_("written"), default=timezone.now)

    class Meta:
        ordering = ["-starts_at", "-id"]
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        constraints = [
            models.CheckConstraint(
                condition=Q(audience="group", group__isnull=False) | (~Q(audience="group") & Q(group=None)),
                name="an_announcement_names_its_group",
            ),
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), name="an_announcement_ends_later"
            ),
        ]
        indexes = [models.Index(fields=["-starts_at"], name="announcements_newest_first")]

    def __str__(self) -> str:
        return str(next(iter(self.titles.values()), f"#{self.pk}"))

    def lasts(self, now: datetime) -> bool:
        """Whether its bar is shown now."""
        return self.starts_at <= now and (self.ends_at is None or now < self.ends_at)


class AnnouncementDismissal(models.Model):
    """A customer has read an announcement and put its bar away."""

    announcement = models.ForeignKey(
        Announcement,
        on_delete=models.CASCADE,
        related_name="dismissals",
        verbose_name=_("announcement"),
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="dismissed_announcements",
        verbose_name=_("customer"),
        db_index=False,  # the constraint's index begins with it
    )
    dismissed_at = models.DateTimeField(_("dismissed"), default=timezone.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("dismissed announcement")
        verbose_name_plural = _("dismissed announcements")
        constraints = [models.UniqueConstraint(fields=["user", "announcement"], name="dismissed_once")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.announcement_id}"
