"""The outbox: one row is one thing that somebody is told, and by which channel; and what customers chose to be told."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from notifications.kinds import MAIL


class Notice(models.Model):
    """Something that happened, told by one channel; its key is unique, so that everything is said once.

    Most rows leave by mail and are read in the bell as well: `channel` is the way it leaves, `in_bell` whether it is
    read there. What comes by nothing but the bell has arrived when it is written. Where a second channel sends the same
    news, that is a row of its own (`notifications.outbox.key_for`).
    """

    key = models.CharField(_("key"), max_length=120, unique=True)
    kind = models.CharField(_("kind"), max_length=20, blank=True, default="", db_default="")
    channel = models.CharField(_("channel"), max_length=20, default=MAIL, db_default=MAIL)
    in_bell = models.BooleanField(_("in the bell"), default=False, db_default=False)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    # The path of the page it is about, on this shop; empty where there is none.
    url = models.CharField(_("leads to"), max_length=300, blank=True, default="", db_default="")
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
            models.Index(fields=["user", "id"], condition=Q(in_bell=True), name="notices_in_the_bell"),
            models.Index(fields=["user", "created_at"], condition=Q(in_bell=True, read_at=None), name="unread_notices"),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def first_line(self) -> str:
        """What its text begins with: mostly what it is about."""
        return self.body.strip().partition("\n")[0].strip()


class NoticeChoice(models.Model):
    """What a customer said of one kind by one channel; where there is no row, the kind's own default holds."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="notice_choices",
        verbose_name=_("customer"),
        db_index=False,  # the constraint's index begins with it
    )
    kind = models.CharField(_("kind"), max_length=20)
    channel = models.CharField(_("channel"), max_length=20)
    wanted = models.BooleanField(_("wanted"))

    class Meta:
        verbose_name = _("choice of notices")
        verbose_name_plural = _("choices of notices")
        constraints = [
            models.UniqueConstraint(fields=["user", "kind", "channel"], name="one_choice_of_a_kind_and_channel"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.channel}"


class Letter(models.Model):
    """A mail about an account itself, to one address: a link to confirm, a new password, a change that was made.

    It leaves at once and alone, whatever else its reader has got, and its row goes with it. What it says is encrypted:
    whoever reads this table must not find links that open accounts.
    """

    address = models.EmailField(_("email address"))
    subject = models.CharField(_("subject"), max_length=200)
    body_encrypted = models.TextField()
    language = models.CharField(_("language"), max_length=10, blank=True, default="", db_default="")
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
