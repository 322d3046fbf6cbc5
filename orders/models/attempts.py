"""Attempts to buy an order whose answer never came: where upstream's id can lie, and what became of them."""

from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.money import MicrosField
from orders.models.order import Kind, Order


class LostAttemptQuerySet(models.QuerySet["LostAttempt"]):
    def unsettled(self) -> "LostAttemptQuerySet":
        """Those of which nobody knows whether upstream has them."""
        return self.filter(state__in=LostAttempt.UNSETTLED)

    def of_a_restore(self) -> "LostAttemptQuerySet":
        """Those whose orders wait because a backup does not know whether they were sent."""
        return self.filter(state=LostAttempt.State.LOST, cause=LostAttempt.Cause.RESTORED)

    def too_wide(self) -> "LostAttemptQuerySet":
        """Those, but of a restore, whose orders wait because RECONCILE_MAX_WINDOW is too small for their window."""
        waiting = self.filter(state=LostAttempt.State.LOST, doubt=LostAttempt.Doubt.TOO_WIDE)
        return waiting.exclude(cause=LostAttempt.Cause.RESTORED)

    def losses_beside(self) -> "LostAttemptQuerySet":
        """What upstream has beside the order that is followed, if any is."""
        beside = Q(order__upstream_id=None) | ~Q(order__upstream_id=F("upstream_id"))
        return self.filter(beside, state=LostAttempt.State.LOSS)


class LostAttempt(models.Model):
    """One sending of an order that was not answered clearly. `evidence` is for people: no code decides by it."""

    class State(models.TextChoices):
        LOST = "lost", _("Its order waits until it is known")
        SOUGHT = "sought", _("Its order was refunded at once; it is still looked for")
        REFUNDED = "refunded", _("Its order was refunded; nobody looks for it")
        ABANDONED = "abandoned", _("Called not placed by staff; it is still looked for")
        ADOPTED = "adopted", _("It was placed, and is the order's own")
        LOSS = "loss", _("It was placed, and is the shop's loss")
        ABSENT = "absent", _("It was not placed")

    class Cause(models.TextChoices):
        """Why the answer is not known; labels take `cause_detail`."""

        NO_ANSWER = "no_answer", "%(detail)s"
        UNLISTED_TEXT = "unlisted", _("unlisted error text: %(detail)s")
        SILENT_WORKER = "silent", _("the worker that sent it did not report back")
        CRASHED = "crashed", _("%(detail)s while sending")
        NOT_RECORDED = "not_recorded", _("accepted as upstream order %(detail)s, not recorded")
        MORE_THAN_ASKED = "more", _("the answer named more orders than were asked for")
        RESTORED = "restored", _("restored from a backup")

    class Doubt(models.TextChoices):
        """Why it has not been settled yet; labels take `doubt_detail`."""

        SENDING = "sending", _("an order is being sent whose id may lie in the window")
        DISTRUST = "distrust", _("an assumption about upstream's ids has failed")
        NO_BEGINNING = "no_beginning", _("we had no order id before the attempt, so the window has no beginning")
        OPEN = (
            "open",
            _("the window is open: it closes with the next order sent after the settling time, or by hand"),
        )
        REVERSED = "reversed", _("the window ends before it begins")
        TOO_WIDE = "too_wide", _("the window is too wide: %(detail)s ids")
        SILENCE = "silence", _("upstream does not answer: %(detail)s")
        CANDIDATES = "candidates", _("the candidates leave a doubt")
        UNEXPLAINED = "unexplained", _("upstream has orders that no lost attempt explains")
        PRICES = "prices", _("another sync has to say what it can have cost")
        FORGOTTEN = "forgotten", _("a candidate may be an order that a restored database has forgotten")

    # Refunded without an answer: whether upstream has it is still open.
    IN_QUESTION = (State.SOUGHT, State.REFUNDED)
    UNSETTLED = (State.LOST, *IN_QUESTION, State.ABANDONED)

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="lost_attempts", verbose_name=_("order"))
    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    number = models.PositiveIntegerField(_("which attempt"))
    sent_at = models.DateTimeField(_("sent"))
    id_before = models.CharField(_("newest upstream ID before the attempt"), max_length=64, blank=True)
    cost_upstream_micros = MicrosField(_("expected upstream cost"), null=True, blank=True)
    cause = models.CharField(_("why the answer is not known"), max_length=12, choices=Cause)
    cause_detail = models.TextField(blank=True)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.LOST)
    upstream_id = models.CharField(_("upstream order"), max_length=64, blank=True)
    charge_upstream_micros = MicrosField(_("upstream charge"), null=True, blank=True)
    closed_at = models.DateTimeField(_("ID range closed by hand"), null=True, blank=True)
    closed_at_id = models.BigIntegerField(_("last id of the window that was closed by hand"), null=True, blank=True)
    doubt = models.CharField(_("why it is not settled"), max_length=12, choices=Doubt, blank=True)
    doubt_detail = models.CharField(max_length=300, blank=True)
    looked_at = models.DateTimeField(_("asked about"), null=True, blank=True)
    asked_about = models.TextField(blank=True, help_text=_("Window and rivals as they were when it was asked about."))
    evidence = models.JSONField(_("findings"), default=dict, blank=True)
    created_at = models.DateTimeField(_("lost"), default=timezone.now)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)

    objects = LostAttemptQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        verbose_name = _("lost attempt")
        verbose_name_plural = _("lost attempts")
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=Q(state="lost"), name="an_order_waits_for_one_lost_attempt"
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("adopted", "loss")) | ~Q(upstream_id=""),
                name="what_was_placed_has_an_upstream_id",
            ),
            models.CheckConstraint(
                condition=Q(closed_at=None, closed_at_id=None) | Q(closed_at__isnull=False, closed_at_id__isnull=False),
                name="a_window_closed_by_hand_has_an_end",
            ),
        ]
        indexes = [
            models.Index(
                fields=["kind", "sent_at"],
                condition=Q(state__in=("lost", "sought", "refunded", "abandoned")),
                name="attempt_unsettled",
            ),
            models.Index(fields=["kind", "upstream_id"], condition=Q(state="loss"), name="attempt_losses"),
        ]

    def __str__(self) -> str:
        return f"#{self.order_id} {self.sent_at:%Y-%m-%d %H:%M:%S}"

    @property
    def cause_text(self) -> str:
        """Why the answer is not known, in words for staff."""
        return text_of_cause(self.cause, self.cause_detail)

    @property
    def doubt_text(self) -> str:
        """Why it has not been settled yet, in words for staff; "" while nobody has looked."""
        return str(self.Doubt(self.doubt).label) % {"detail": self.doubt_detail} if self.doubt else ""


def text_of_cause(cause: str, detail: str) -> str:
    """Return why an answer is not known, in words for staff."""
    return str(LostAttempt.Cause(cause).label) % {"detail": detail}
