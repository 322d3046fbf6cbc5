"""What customers bought: the order, its checkout and its timeline. One row of Order is one upstream order."""

from datetime import datetime
from typing import Any
from unicodedata import normalize

import structlog
from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.money import MicrosField
from catalog.models import Service, name_language
from catalog.models.services import home_id
from orders.models.attention import AttentionFlag
from orders.models.reasons import HoldReason
from upstream.reading.links import link
from upstream.reading.text import comparable, line


class Status(models.TextChoices):
    PAID = "paid", _("Paid")
    SENDING = "sending", _("Being sent")
    UNKNOWN = "unknown", _("Being checked")
    PENDING = "pending", _("Pending")
    IN_PROGRESS = "in_progress", _("In progress")
    COMPLETED = "completed", _("Completed")
    PARTIAL = "partial", _("Partial")
    CANCELED = "canceled", _("Canceled")
    FAILED = "failed", _("Failed")


# status → statuses that may follow. `orders.lifecycle.transitions` is the only writer of a status and reads this table.
MOVES: dict[str, frozenset[str]] = {
    # Pending: it waited to be sent again when the answer to its first attempt came after all.
    Status.PAID: frozenset({Status.SENDING, Status.PENDING, Status.CANCELED, Status.FAILED, Status.UNKNOWN}),
    Status.SENDING: frozenset({Status.PENDING, Status.PAID, Status.FAILED, Status.UNKNOWN}),
    Status.UNKNOWN: frozenset({Status.PENDING, Status.PAID, Status.FAILED}),
    Status.PENDING: frozenset({Status.IN_PROGRESS, Status.COMPLETED, Status.PARTIAL, Status.CANCELED}),
    Status.IN_PROGRESS: frozenset({Status.COMPLETED, Status.PARTIAL, Status.CANCELED}),
    Status.COMPLETED: frozenset({Status.PARTIAL, Status.CANCELED}),  # upstream changed its mind later
    Status.PARTIAL: frozenset({Status.CANCELED}),
    Status.CANCELED: frozenset(),
    Status.FAILED: frozenset(),
}

OPEN = (Status.PAID, Status.SENDING, Status.UNKNOWN, Status.PENDING, Status.IN_PROGRESS)
DELIVERED = (Status.COMPLETED, Status.PARTIAL)
UPSTREAM_OPEN = (Status.PENDING, Status.IN_PROGRESS)
FINISHED = (Status.COMPLETED, Status.PARTIAL, Status.CANCELED, Status.FAILED)


class Kind(models.TextChoices):
    """What supplies an order; each kind has a `Supply` (see orders/lifecycle/supply.py)."""

    SERVICE = "service", _("Service")
    NUMBER = "number", _("SMS number")


def request_under_way() -> str:
    """Return the id that all log lines of this request carry; "" where an order is not made by a request."""
    return str(structlog.contextvars.get_contextvars().get("request_id", ""))[:32]


class Checkout(models.Model):
    """One press of a buy button. `request_id` is unique per customer, so that a repeat buys nothing twice."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="checkouts",
        verbose_name=_("customer"),
        db_index=False,  # the constraint's index begins with it
    )
    request_id = models.CharField(_("request ID"), max_length=64)
    fingerprint = models.CharField(max_length=64)  # SHA-256 of what was asked for
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("checkout")
        verbose_name_plural = _("checkouts")
        constraints = [models.UniqueConstraint(fields=["user", "request_id"], name="request_id_once_per_customer")]

    def __str__(self) -> str:
        return self.request_id


class OrderQuerySet(models.QuerySet["Order"]):
    def open(self) -> "OrderQuerySet":
        return self.filter(status__in=OPEN)

    def finished(self) -> "OrderQuerySet":
        return self.filter(status__in=FINISHED)

    def newest_first(self) -> "OrderQuerySet":
        return self.order_by("-id")

    def matching(self, words: str) -> "OrderQuerySet":
        """Orders with every word in their title or link, or as their number."""
        found = self
        for word in line(words).split()[:10]:
            number = word.lstrip("#")
            by_number = Q(pk=int(number)) if number.isdecimal() and len(number) < 19 else Q(pk=None)
            by_link = Q(link__icontains=word)
            kept = link(word)
            for spelt in {normalize("NFD", word), kept, normalize("NFD", kept)} - {word, ""}:  # as links are kept
                by_link |= Q(link__icontains=spelt)
            found = found.filter(Q(title__icontains=word) | by_link | by_number)
        return found

    def of_services_like(self, words: str) -> "OrderQuerySet":
        """Orders of services that are found by these words, for titles that do not look as they are spelt.

        Slower than `matching`, which asks indexes of title and link: for when that finds nothing.
        """
        alike = Service.objects.matching(words).order_by().values("pk") if comparable(words) else []
        return self.filter(service__in=alike)

    def waiting_to_send(self, now: datetime) -> "OrderQuerySet":
        """Paid orders whose time has come and that nothing holds back, in the order they were paid.

        Of a category whose rate unit is not confirmed that is the first order, and only while none is under way.
        """
        ready = Q(not_before=None) | Q(not_before__lte=now)
        waiting = Q(ready, status=Status.PAID, held_because="")
        ahead = Order.objects.filter(
            Q(waiting, pk__lt=OuterRef("pk")) | Q(status__in=(Status.SENDING, *UPSTREAM_OPEN)),
            service__rate_per_override=None,
        )
        # In the category where upstream has them, which staff may have put them out of.
        here = Coalesce(OuterRef("service__upstream_category_id"), OuterRef("service__category_id"))
        ahead = ahead.alias(home=home_id("service__")).filter(home=here)
        unconfirmed = Q(service__upstream_category=None, service__category__rate_confirmed_at=None)
        unconfirmed |= Q(service__upstream_category__isnull=False, service__upstream_category__rate_confirmed_at=None)
        unconfirmed &= Q(service__rate_per_override=None, kind=Kind.SERVICE)
        return self.filter(waiting).exclude(unconfirmed & Exists(ahead)).order_by("id")

    def sendable(self) -> "OrderQuerySet":
        """Paid orders that nothing holds back, whether or not their turn has come."""
        return self.filter(status=Status.PAID, held_because="")

    def stale(self, now: datetime) -> "OrderQuerySet":
        """Orders whose sender died between claim and record: the claim is past its deadline."""
        return self.filter(status=Status.SENDING, claim_deadline__lt=now)

    def due(self, now: datetime) -> "OrderQuerySet":
        """Orders upstream should be asked about, the longest overdue first."""
        unclaimed = Q(poll_claimed_until=None) | Q(poll_claimed_until__lt=now)
        return self.filter(unclaimed, next_poll_at__lte=now).order_by("next_poll_at")

    def needing_attention(self) -> "OrderQuerySet":
        """Orders with an open flag.

        Asked as "one of the orders that have an open flag": SQLite would look at every order for an EXISTS.
        """
        return self.filter(pk__in=AttentionFlag.objects.open().values("order"))


class Order(models.Model):
    """One paid order. `price` and `refunded` are in the shop's currency, `*_upstream` in upstream's."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="orders",
        verbose_name=_("customer"),
        db_index=False,  # `order_history` begins with it
    )
    checkout = models.ForeignKey(
        Checkout, null=True, blank=True, on_delete=models.PROTECT, related_name="orders", verbose_name=_("checkout")
    )
    # The order whose price paid for this one too: it replaces goods of that one which didn't work.
    original = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="replacements",
        verbose_name=_("replaces goods of"),
        db_index=False,  # `order_replacements`, of the few that have one
    )
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.SERVICE)
    status = models.CharField(_("status"), max_length=12, choices=Status, default=Status.PAID)
    title = models.CharField(_("item sold"), max_length=500)
    service = models.ForeignKey(
        Service,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="orders",
        verbose_name=_("service"),
        db_index=False,  # `order_of_service` begins with it
    )
    quantity = models.BigIntegerField(_("quantity"))
    link = models.CharField(_("link or delivery address"), max_length=2000, blank=True)
    comments = models.TextField(_("comments"), blank=True)

    price_micros = MicrosField(_("price"))
    refunded_micros = MicrosField(_("refunded"), default=0)
    rate_micros = MicrosField(_("selling rate"))
    rate_upstream_micros = MicrosField(_("upstream rate"))
    rate_per = models.PositiveSmallIntegerField(_("rate unit"))
    cost_upstream_micros = MicrosField(_("expected upstream cost"))
    charge_upstream_micros = MicrosField(_("upstream charge"), null=True, blank=True)
    exchange_rate_micros = MicrosField(_("exchange rate"), default=1_000_000)
    pricing = models.JSONField(_("price calculation"), default=dict, blank=True)  # see catalog.pricing.PriceBook.terms
    accepted_loss_micros = MicrosField(_("accepted loss"), default=0, help_text=_("Accepted to keep a promised price."))
    # Of goods, as it was when they were bought; none: bought before that was kept, or no goods.
    warranty_hours = models.PositiveIntegerField(_("warranty, hours"), null=True, blank=True)

    upstream_id = models.CharField(_("upstream order"), max_length=64, null=True, blank=True)  # noqa: DJ001 - NULL is "none yet" for the unique constraint
    upstream_word = models.CharField(_("upstream status"), max_length=100, blank=True)
    upstream_payload = models.JSONField(_("last answer"), null=True, blank=True)
    start_count = models.BigIntegerField(_("start count"), null=True, blank=True)
    remains = models.BigIntegerField(_("remains"), null=True, blank=True)

    claim_token = models.UUIDField(null=True, blank=True)
    claim_deadline = models.DateTimeField(_("send deadline"), null=True, blank=True)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    not_before = models.DateTimeField(_("do not send before"), null=True, blank=True)
    last_upstream_id_before = models.CharField(_("newest upstream ID before the attempt"), max_length=64, blank=True)
    sent_at = models.DateTimeField(_("sent"), null=True, blank=True)
    # When upstream answered the sending at `sent_at` with this id. An id that was found otherwise has none: it says
    # nothing about that moment.
    answered_at = models.DateTimeField(_("answered"), null=True, blank=True)
    next_poll_at = models.DateTimeField(_("next poll"), null=True, blank=True)
    poll_claimed_until = models.DateTimeField(null=True, blank=True)
    polled_at = models.DateTimeField(_("last poll"), null=True, blank=True)
    taken_until = models.DateTimeField(null=True, blank=True)  # read ahead by a sweep of the queue: others pass over it
    not_found_times = models.PositiveIntegerField(_("times not found in a row"), default=0)
    not_found_since = models.DateTimeField(_("not found since"), null=True, blank=True)
    not_found_at = models.DateTimeField(_("last not found"), null=True, blank=True)
    not_found_flagged_at = models.DateTimeField(null=True, blank=True)
    held_because = models.CharField(
        _("hold reason"),
        max_length=8,
        choices=HoldReason,
        blank=True,
        help_text=_("If filled in, the order is not sent until an admin releases it."),
    )
    held_details = models.JSONField(default=dict, blank=True)  # for people
    held_until = models.DateTimeField(_("refunded automatically after"), null=True, blank=True)
    hold_waived_at = models.DateTimeField(
        _("hold waived"), null=True, blank=True, help_text=_("Staff decided to send it anyway; it won't be held again.")
    )

    # By it the logs of web and workers tell of one purchase: whoever sends the order binds it again. The checkout's
    # request id is another one, which customers choose.
    http_request_id = models.CharField(
        _("ID in the logs"), max_length=32, blank=True, default=request_under_way, db_default="", editable=False
    )
    created_at = models.DateTimeField(_("ordered"), default=timezone.now, db_index=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = OrderQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "upstream_id"],
                condition=Q(upstream_id__isnull=False),
                name="upstream_order_belongs_to_one_order",
            ),
            models.CheckConstraint(
                condition=Q(refunded_micros__gte=0, refunded_micros__lte=F("price_micros")),
                name="refunds_never_exceed_the_price",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0)
                & (Q(price_micros__gt=0, original=None) | Q(price_micros=0, original__isnull=False)),
                name="order_has_price_or_replaces",
            ),
            models.CheckConstraint(
                condition=(Q(kind="service", service__isnull=False) | Q(kind="number", service=None)),
                name="order_names_what_its_kind_says",
            ),
            models.CheckConstraint(
                condition=~Q(status="sending") | Q(claim_token__isnull=False, claim_deadline__isnull=False),
                name="a_sending_order_is_claimed",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(status="paid"), name="order_queue"),
            models.Index(fields=["claim_deadline"], condition=Q(status="sending"), name="order_claims"),
            models.Index(fields=["next_poll_at"], condition=Q(next_poll_at__isnull=False), name="order_polls"),
            models.Index(fields=["user", "-id"], name="order_history"),
            models.Index(fields=["service", "created_at"], name="order_of_service"),
            models.Index(
                fields=["finished_at"], condition=Q(kind="service", finished_at__isnull=False), name="order_finished"
            ),
            models.Index(fields=["kind", "-id"], condition=Q(upstream_id__isnull=False), name="order_sent"),
            models.Index(fields=["kind", "sent_at"], condition=Q(answered_at__isnull=False), name="order_answered"),
            models.Index(fields=["id"], condition=Q(status="unknown"), name="order_unknown"),
            # Without the finished ones, which may be overdue by thousands.
            models.Index(
                fields=["kind", "next_poll_at"],
                condition=Q(status__in=OPEN, next_poll_at__isnull=False),
                name="order_open_polls",
            ),
            models.Index(fields=["original"], condition=Q(original__isnull=False), name="order_replacements"),
            # What a customer with half a million orders filters by.
            models.Index(fields=["user", "-id"], condition=Q(status__in=OPEN), name="order_open_of_customer"),
            models.Index(fields=["user", "-id"], condition=Q(kind="number"), name="order_numbers"),
            models.Index(fields=["user", "-id"], condition=Q(refunded_micros__gt=0), name="order_refunded"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.title}"

    @property
    def log_ids(self) -> dict[str, Any]:
        """What every log line about this order is found by, for `structlog.contextvars.bound_contextvars`."""
        ids = {"request_id": self.http_request_id, "order_id": self.pk, "upstream_id": self.upstream_id}
        return {name: value for name, value in ids.items() if value}

    @property
    def shown_title(self) -> str:
        """What its customer reads: the name in the reader's language while what was sold has the recorded name still.

        Wants what was sold at hand, see `orders.models.sold`; nothing of it where names are read in English.
        """
        if not name_language():
            return self.title
        sold = self.service if self.kind == Kind.SERVICE else self.number.project
        return sold.full_title if sold is not None and sold.sold_title == self.title else self.title

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def done(self) -> int | None:
        """Pieces delivered so far, where upstream has said how many remain."""
        return None if self.remains is None else self.quantity - min(max(self.remains, 0), self.quantity)

    @property
    def full_price_micros(self) -> int:
        """What it would have cost without its coupon."""
        return self.price_micros + int(self.pricing.get("coupon_micros", 0))

    @property
    def kept_micros(self) -> int:
        """What the customer has paid for this order after refunds."""
        return self.price_micros - self.refunded_micros


class OrderEvent(models.Model):
    """One thing that happened to an order. `data` is shown to its customer, `evidence` to staff only."""

    class Code(models.TextChoices):
        PLACED = "placed", _("Ordered and paid")
        CLAIMED = "claimed", _("Being sent for processing")
        ACCEPTED = "accepted", _("Accepted for processing")
        REFUSED = "refused", _("Order refused")
        NOT_SENT = "not_sent", _("Not sent yet; we'll try again")
        UNKNOWN = "unknown", _("No confirmation yet; we're checking")
        PROGRESS = "progress", _("Work has started")
        COMPLETED = "completed", _("Completed")
        PARTIAL = "partial", _("Partially completed")
        CANCELED = "canceled", _("Canceled")
        REFUNDED = "refunded", _("Refunded")
        RESOLVED = "resolved", _("Settled by support")
        ATTENTION = "attention", _("Passed to our team for review")
        LOSS = "loss", _("Booked as the shop's loss")
        NOTE = "note", _("Note of the staff")
        COUNTS = "counts", _("Figures corrected by support")

    STAFF_ONLY = (Code.ATTENTION, Code.LOSS, Code.NOTE)

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="events", verbose_name=_("order"))
    code = models.CharField(_("event"), max_length=10, choices=Code)
    status = models.CharField(_("status"), max_length=12, choices=Status)
    data = models.JSONField(_("details"), default=dict, blank=True)
    evidence = models.JSONField(_("evidence"), default=dict, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        ordering = ["id"]
        verbose_name = _("order event")
        verbose_name_plural = _("order events")
        indexes = [
            models.Index(fields=["order"], condition=Q(code="loss"), name="order_losses"),
            # When work on an order was seen to begin.
            models.Index(fields=["order", "created_at"], condition=Q(code="progress"), name="order_starts"),
        ]

    def __str__(self) -> str:
        return f"#{self.order_id} {self.get_code_display()}"
