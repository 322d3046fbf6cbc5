"""Money that comes in from outside: top-ups, what gateways told us about them, and what customers owe."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.money import MicrosField

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is mistaken for another when it is read out
LONGEST_ID = 200  # of a payment at its gateway


def new_reference() -> str:
    """Return a name for a top-up that nobody can guess and that can be written on a bank transfer."""
    return get_random_string(12, LETTERS)


class TopUpQuerySet(models.QuerySet["TopUp"]):
    def called_at(self, gateway: str, payment_id: str) -> "TopUpQuerySet":
        """The one payment that a gateway calls so, letter by letter."""
        return self.filter(gateway=gateway, gateway_id=payment_id) if _can_be_asked_for(payment_id) else self.none()

    def called(self, reference: str) -> "TopUpQuerySet":
        """The one payment that we call so, letter by letter."""
        return self.filter(reference=reference) if _can_be_asked_for(reference) else self.none()

    def refunded_by(self, refund_id: str) -> "TopUpQuerySet":
        """Payments of which it is known that this refund, of a gateway whose refunds have ids, is one of them."""
        return self.filter(refund_shares__has_key=refund_id) if _can_be_asked_for(refund_id) else self.none()

    def to_ask_about(self, now: datetime) -> "TopUpQuerySet":
        """Payments whose gateway should be asked, because nothing was said of them in time."""
        return self.filter(next_check_at__lte=now).order_by("next_check_at")

    def for_a_human(self) -> "TopUpQuerySet":
        """Payments that somebody has to look at, each with the reason in `attention`."""
        return self.exclude(attention="")

    def newest_first(self) -> "TopUpQuerySet":
        return self.order_by("-id")


def can_be_held(text: str, longest: int = LONGEST_ID) -> bool:
    """Whether a column of so many characters holds this text as it is."""
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate
        return False
    return len(text) <= longest and "\x00" not in text


def _can_be_asked_for(name: str) -> bool:
    """Of what no column holds a database cannot even be asked; and nothing is no name."""
    return bool(name) and can_be_held(name)


class TopUp(models.Model):
    """One payment a customer was asked for: so much to pay, so much for the wallet, through one gateway.

    Amounts are in the shop's currency. `pay` = `amount` + `fee`; `bonus` comes on top of `amount` once it is paid.
    """

    class Status(models.TextChoices):
        CREATED = "created", _("Not paid yet")
        PENDING = "pending", pgettext_lazy("payment", "Being confirmed")
        PAID = "paid", pgettext_lazy("payment", "Paid")
        DECLINED = "declined", pgettext_lazy("payment", "Declined")
        EXPIRED = "expired", pgettext_lazy("payment", "Expired")
        REVIEW = "review", pgettext_lazy("payment", "Needs attention")
        REFUNDED = "refunded", pgettext_lazy("payment", "Refunded")
        DISPUTED = "disputed", pgettext_lazy("payment", "Disputed")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="top_ups", verbose_name=_("customer")
    )
    gateway = models.CharField(_("gateway"), max_length=20)
    reference = models.CharField(_("reference"), max_length=12, unique=True, default=new_reference)
    gateway_id = models.CharField(_("payment ID at the gateway"), max_length=LONGEST_ID, blank=True)
    pay_url = models.URLField(_("payment page"), max_length=2000, blank=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.CREATED)
    currency = models.CharField(_("currency"), max_length=3)
    amount_micros = MicrosField(_("amount"))
    fee_micros = MicrosField(_("fee"), default=0)
    bonus_micros = MicrosField(_("bonus"), default=0)
    pay_micros = MicrosField(_("to pay"))
    received_micros = MicrosField(_("received"), default=0, help_text=_("Amount paid, as reported by the gateway."))
    credited_micros = MicrosField(
        _("credited"), default=0, help_text=_("Amount credited to the wallet, including the bonus.")
    )
    refunded_micros = MicrosField(_("refunded"), default=0, help_text=_("Total refunded by the gateway."))
    # Of a gateway whose refunds have ids: what is known of each, in micros. Together they are what was refunded, less
    # what was refunded before this was kept.
    refund_shares = models.JSONField(editable=False, blank=True, default=dict, db_default={})
    disputed_micros = MicrosField(_("disputed"), default=0, help_text=_("Amount currently disputed with the gateway."))
    reversed_micros = MicrosField(_("reversed"), default=0, help_text=_("Taken from the wallet for it, or still owed."))
    note = models.CharField(_("note"), max_length=300, blank=True)
    attention = models.CharField(_("needs attention because"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, db_index=True)
    paid_at = models.DateTimeField(_("paid"), null=True, blank=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    next_check_at = models.DateTimeField(_("next gateway check"), null=True, blank=True)
    checks = models.PositiveIntegerField(_("gateway checks"), default=0)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("confirmed by"),
    )

    objects = TopUpQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("top-up")
        verbose_name_plural = _("top-ups")
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "gateway_id"], condition=~Q(gateway_id=""), name="gateway_payment_is_one_top_up"
            ),
            models.CheckConstraint(
                condition=Q(amount_micros__gt=0, fee_micros__gte=0, bonus_micros__gte=0)
                & Q(pay_micros=F("amount_micros") + F("fee_micros")),
                name="top_up_adds_up",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="top_ups_of_a_customer"),
            models.Index(fields=["next_check_at"], condition=Q(next_check_at__isnull=False), name="top_ups_to_check"),
            models.Index(fields=["id"], condition=~Q(attention=""), name="top_ups_for_a_human"),
            models.Index(fields=["status", "-id"], condition=~Q(status="paid"), name="top_ups_not_paid"),
            models.Index(
                fields=["user", "-id"], condition=Q(status__in=("created", "pending")), name="top_ups_under_way"
            ),
        ]

    def __str__(self) -> str:
        return self.reference


OPEN_TOP_UPS = (TopUp.Status.CREATED, TopUp.Status.PENDING)


class GatewayEventQuerySet(models.QuerySet["GatewayEvent"]):
    def taken_of(self, top_up: TopUp) -> "GatewayEventQuerySet":
        """What was told of a payment and taken, in the order in which it was.

        Who takes something holds the payment's row meanwhile, so no event gets a smaller key than one already seen.
        """
        taken = (GatewayEvent.Outcome.APPLIED, GatewayEvent.Outcome.IGNORED)
        return self.filter(top_up=top_up, outcome__in=taken).order_by("pk")


class GatewayEvent(models.Model):
    """Something a gateway, or somebody who says so, told us. What was applied is kept for ever, raw: it is read again
    when the gateway's answers are older. Of what proves nothing or is about others' payments only a digest is kept.
    """

    class Outcome(models.TextChoices):
        APPLIED = "applied", _("Accepted")
        REPEATED = "repeated", _("Already known")
        IGNORED = "ignored", _("Not about our payments")
        REFUSED = "refused", _("Rejected")

    gateway = models.CharField(_("gateway"), max_length=20)
    event_id = models.CharField(_("event ID at the gateway"), max_length=200, blank=True)
    kind = models.CharField(_("kind"), max_length=100, blank=True)
    top_up = models.ForeignKey(
        TopUp, null=True, blank=True, on_delete=models.PROTECT, related_name="events", verbose_name=_("top-up")
    )
    outcome = models.CharField(_("outcome"), max_length=8, choices=Outcome)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    headers = models.JSONField(_("headers"), default=dict, blank=True)
    body = models.TextField(_("body"), blank=True)
    address = models.GenericIPAddressField(_("from address"), null=True, blank=True)
    created_at = models.DateTimeField(_("received"), default=timezone.now, db_index=True)

    objects = GatewayEventQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("gateway event")
        verbose_name_plural = _("gateway events")
        indexes = [models.Index(fields=["gateway", "event_id"], name="gateway_event_ids")]

    def __str__(self) -> str:
        return f"{self.gateway} {self.event_id}"


class Receivable(models.Model):
    """What a customer owes: a payment was taken back and the wallet did not hold all of it. Blocks purchases."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="receivables", verbose_name=_("customer")
    )
    top_up = models.ForeignKey(
        TopUp, null=True, blank=True, on_delete=models.PROTECT, related_name="receivables", verbose_name=_("top-up")
    )
    amount_micros = MicrosField(_("owed"))
    paid_micros = MicrosField(_("paid off"), default=0)
    note = models.CharField(_("note"), max_length=300, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("receivable")
        verbose_name_plural = _("receivables")
        constraints = [
            models.CheckConstraint(
                condition=Q(amount_micros__gt=0, paid_micros__gte=0, paid_micros__lte=F("amount_micros")),
                name="receivable_is_paid_at_most_once",
            ),
        ]
        indexes = [models.Index(fields=["user"], condition=Q(settled_at=None), name="open_receivables")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.amount_micros - self.paid_micros}"


class MoneyRequest(models.Model):
    """A move of money by hand: one that was done at once, or one that a second member of staff has to approve."""

    class Kind(models.TextChoices):
        ADJUSTMENT = "adjustment", _("Adjustment")
        WITHDRAWAL = "withdrawal", _("Withdrawal")
        PAYMENT = "payment", _("Confirmed payment")
        REFUND = "refund", _("Refund")

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting for a second person")
        DONE = "done", pgettext_lazy("request", "Done")
        DECLINED = "declined", pgettext_lazy("request", "Declined")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("customer")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    amount_micros = MicrosField(
        _("amount"), help_text=_("A negative amount takes money away; a withdrawal is always positive.")
    )
    # What staff says came in for a payment in all; what of it is credited is the amount.
    received_micros = MicrosField(_("received"), default=0, db_default=0)
    # What it is about, as the ledger says it: "top_up:" and the payment's reference, "order:" and its number.
    about = models.CharField(_("about"), max_length=60, blank=True, default="", db_default="")
    # Which of several acts on that it is, where the kind does not say.
    act = models.CharField(max_length=40, blank=True, default="", db_default="", editable=False)
    paid_how = models.CharField(_("payout method"), max_length=60, blank=True)
    note = models.CharField(_("note"), max_length=300)
    request_id = models.CharField(max_length=64, unique=True)
    needs_second = models.BooleanField(_("needs a second person"), default=False)
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("requested by")
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("decided by"),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("manual adjustment")
        verbose_name_plural = _("manual adjustments")
        constraints = [
            models.CheckConstraint(
                condition=~Q(decided_by=F("asked_by")) & ~Q(decided_by=F("user")), name="decided_by_another"
            ),
            # What needs a second person is not done without one; what does not was done by who asked.
            models.CheckConstraint(
                condition=Q(needs_second=False, state="done", decided_by=None)
                | Q(needs_second=True, state="waiting", decided_by=None)
                | Q(needs_second=True, state__in=("done", "declined"), decided_by__isnull=False),
                name="second_person_decides",
            ),
            models.CheckConstraint(
                condition=Q(kind="adjustment") & ~Q(amount_micros=0)
                | Q(kind="withdrawal", amount_micros__gt=0) & ~Q(paid_how="")
                | Q(kind="payment", amount_micros__gt=0, received_micros__gt=0) & ~Q(about="")
                | Q(kind="refund", amount_micros__gt=0) & ~Q(about=""),
                name="move_by_hand_says_what_it_moves",
            ),
            models.UniqueConstraint(
                fields=["about"], condition=Q(state="waiting") & ~Q(about=""), name="one_request_waits_about_it"
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(state="waiting"), name="money_requests_waiting"),
            models.Index(fields=["about"], condition=~Q(about=""), name="money_requests_about"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.pk}"


class Receipt(models.Model):
    """A printable receipt: numbered without gaps, with the seller's details and tax rate as they were."""

    number = models.PositiveIntegerField(_("number"), unique=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="receipts", verbose_name=_("customer")
    )
    top_up = models.OneToOneField(TopUp, on_delete=models.PROTECT, related_name="receipt", verbose_name=_("top-up"))
    seller = models.TextField(_("seller"), blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    total_micros = MicrosField(_("total"))
    tax_percent = models.DecimalField(_("tax, %"), max_digits=5, decimal_places=2, default=0)
    tax_micros = MicrosField(_("tax included"), default=0)
    created_at = models.DateTimeField(_("issued"), default=timezone.now)

    class Meta:
        ordering = ["-number"]
        verbose_name = _("receipt")
        verbose_name_plural = _("receipts")

    def __str__(self) -> str:
        return str(self.number)


class ReceiptGap(models.Model):
    """Numbers of receipts that are given to nobody: receipts which a restored database has forgotten may have them."""

    first = models.PositiveIntegerField(_("first number"), unique=True)
    last = models.PositiveIntegerField(_("last number"))
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("gap in receipt numbers")
        verbose_name_plural = _("gaps in receipt numbers")

    def __str__(self) -> str:
        return f"{self.first}–{self.last}"
