"""A ticket is one question of one customer and everything that was said about it."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from orders.models import Order, ServiceRequest
from support.models.answers import FirstAnswerRule
from wallet.models import TopUp


class Ticket(models.Model):
    """One question, about an order or number, a payment, or nothing we know.

    `waiting_since` is set exactly while somebody of the staff has to do something: the queue is sorted by it.
    """

    class Reason(models.TextChoices):
        SLOW = "slow", pgettext_lazy("reason", "It takes too long")
        NOT_STARTED = "not_started", pgettext_lazy("reason", "It hasn't started")
        PARTIAL = "partial", pgettext_lazy("reason", "Only a part was delivered")
        DROPPED = "dropped", pgettext_lazy("reason", "The count has dropped")
        NOT_WORKING = "not_working", pgettext_lazy("reason", "It doesn't work")
        WRONG = "wrong", pgettext_lazy("reason", "It isn't what I ordered")
        PAYMENT = "payment", pgettext_lazy("reason", "A payment")
        REFILL = "refill", pgettext_lazy("reason", "Refill")
        CANCEL = "cancel", pgettext_lazy("reason", "Cancel")
        OTHER = "other", pgettext_lazy("reason", "Something else")

    class State(models.TextChoices):
        OPEN = "open", pgettext_lazy("ticket", "Waiting for us")
        # A rule has answered; if that turns out to be wrong, the ticket opens by itself at `comes_back_at`.
        WATCHED = "watched", pgettext_lazy("ticket", "We keep an eye on it")
        ANSWERED = "answered", pgettext_lazy("ticket", "Answered")
        CLOSED = "closed", pgettext_lazy("ticket", "Closed")

    class Rating(models.IntegerChoices):
        BAD = 1, pgettext_lazy("rating", "No")
        PARTLY = 2, pgettext_lazy("rating", "Partly")
        GOOD = 3, pgettext_lazy("rating", "Yes")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="tickets", verbose_name=_("customer")
    )
    order = models.ForeignKey(
        Order, null=True, blank=True, on_delete=models.PROTECT, related_name="tickets", verbose_name=_("order")
    )
    top_up = models.ForeignKey(
        TopUp, null=True, blank=True, on_delete=models.PROTECT, related_name="tickets", verbose_name=_("payment")
    )
    request = models.OneToOneField(
        ServiceRequest,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="ticket",
        verbose_name=_("customer request"),
    )
    reason = models.CharField(_("reason"), max_length=12, choices=Reason)
    subject = models.CharField(_("subject"), max_length=150)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.OPEN)
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("assigned to"),
    )
    created_at = models.DateTimeField(_("asked"), default=timezone.now)
    changed_at = models.DateTimeField(_("last change"), default=timezone.now)
    waiting_since = models.DateTimeField(_("waiting since"), null=True, blank=True)
    comes_back_at = models.DateTimeField(_("comes back"), null=True, blank=True)
    # By a human, whatever a rule said before.
    first_answer_at = models.DateTimeField(_("first answer"), null=True, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)
    closed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("closed by"),
    )
    # What the customer has seen of it: a newer message is news to them.
    seen_at = models.DateTimeField(_("seen by the customer"), null=True, blank=True)
    rating = models.PositiveSmallIntegerField(_("did it help"), choices=Rating, null=True, blank=True)
    rating_text = models.CharField(_("about the answer"), max_length=500, blank=True)
    rated_at = models.DateTimeField(_("rated"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        constraints = [
            models.CheckConstraint(
                condition=(Q(state="open") & Q(waiting_since__isnull=False))
                | (~Q(state="open") & Q(waiting_since__isnull=True)),
                name="a_ticket_waits_exactly_while_open",
            ),
            models.CheckConstraint(
                condition=~Q(comes_back_at__isnull=False) | Q(state="watched"), name="only_watched_tickets_come_back"
            ),
        ]
        indexes = [
            models.Index(fields=["waiting_since"], condition=Q(state="open"), name="tickets_that_wait"),
            models.Index(fields=["comes_back_at"], condition=Q(state="watched"), name="tickets_that_come_back"),
            models.Index(fields=["user", "-changed_at"], name="tickets_of_a_customer"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.subject}"


class Message(models.Model):
    """Something said in a ticket. Notes are for staff alone; rows are only added.

    `key` makes a message that is sent twice one: a form's own random text, or what a rule calls itself.
    """

    class Kind(models.TextChoices):
        CUSTOMER = "customer", pgettext_lazy("message", "From the customer")
        STAFF = "staff", pgettext_lazy("message", "Answer")
        RULE = "rule", pgettext_lazy("message", "Automatic answer")
        EVENT = "event", pgettext_lazy("message", "What happened")
        NOTE = "note", pgettext_lazy("message", "Internal note")

    ticket = models.ForeignKey(Ticket, on_delete=models.PROTECT, related_name="messages", verbose_name=_("ticket"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("written by"),
    )
    rule = models.ForeignKey(
        FirstAnswerRule,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="messages",
        verbose_name=_("first answer"),
    )
    text = models.TextField(_("text"), blank=True)
    key = models.CharField(max_length=64, blank=True, editable=False)
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        ordering = ["id"]
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(fields=["ticket", "key"], condition=~Q(key=""), name="a_message_is_said_once")
        ]
        indexes = [models.Index(fields=["created_at"], name="messages_by_age")]

    def __str__(self) -> str:
        return f"#{self.ticket_id}: {self.get_kind_display()}"


class Attachment(models.Model):
    """A file of a message; its name is what the customer called it, cleaned, and is only ever shown."""

    class Kind(models.TextChoices):
        PNG = "png", "PNG"
        JPEG = "jpeg", "JPEG"
        WEBP = "webp", "WebP"
        TEXT = "text", pgettext_lazy("file", "Text")
        PDF = "pdf", "PDF"

    message = models.ForeignKey(
        Message, on_delete=models.PROTECT, related_name="attachments", verbose_name=_("message")
    )
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=5, choices=Kind)
    size = models.PositiveIntegerField(_("bytes"))
    created_at = models.DateTimeField(_("time"), default=timezone.now)
    deleted_at = models.DateTimeField(_("content deleted"), null=True, blank=True)

    class Meta:
        ordering = ["id"]
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")

    def __str__(self) -> str:
        return self.name


class AttachmentContent(models.Model):
    """The bytes, apart from what lists read: in the database, which all web processes share and backups hold."""

    attachment = models.OneToOneField(
        Attachment, on_delete=models.CASCADE, related_name="content", verbose_name=_("attachment")
    )
    data = models.BinaryField()

    class Meta:
        verbose_name = _("attachment's content")
        verbose_name_plural = _("attachments' contents")

    def __str__(self) -> str:
        return str(self.attachment_id)
