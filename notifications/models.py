"""The outbox: one row is one thing that somebody is told."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Notice(models.Model):
    """A mail about something that happened; its key is unique, so that everything is said once."""

    key = models.CharField(_("key"), max_length=120, unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="notices",
        verbose_name=_("customer"),
    )
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    tries = models.PositiveSmallIntegerField(_("attempts"), default=0)
    # Moved ahead by whoever sends it, so that nobody else does; by a failure; and while its reader had enough mail.
    not_before = models.DateTimeField(_("do not send before"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("notice")
        verbose_name_plural = _("notices")
        indexes = [
            models.Index(fields=["id"], condition=Q(sent_at=None), name="notice_outbox"),
            models.Index(fields=["user", "sent_at"], name="notices_of_a_recipient"),
            models.Index(fields=["created_at"], name="notices_by_age"),
        ]

    def __str__(self) -> str:
        return self.key


class Letter(models.Model):
    """A mail about an account itself, to one address: a link to confirm, a new password, a change that was made.

    It leaves at once and alone, whatever else its reader has got, and its row goes with it. What it says is encrypted:
    whoever reads this table must not find links that open accounts.
    """

    address = models.EmailField(_("email address"))
    subject = models.CharField(_("subject"), max_length=200)
    body_encrypted = models.TextField()
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    tries = models.PositiveSmallIntegerField(_("attempts"), default=0)
    not_before = models.DateTimeField(_("do not send before"), default=timezone.now)

    class Meta:
        ordering = ["id"]
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        indexes = [models.Index(fields=["not_before"], name="letters_that_are_due")]

    def __str__(self) -> str:
        return self.subject
