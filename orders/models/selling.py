"""Around the sale: an order that waits for its money, coupons, and what a customer earns by bringing another."""

from datetime import datetime
from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.money import MicrosField
from catalog.models import Service
from orders.models.order import Order
from wallet.models import TopUp


class PendingCheckout(models.Model):
    """An order that is placed by itself once its top-up is paid, at the price that was promised."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting for payment")
        PLACED = "placed", _("Placed")
        DROPPED = "dropped", _("Not placed")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="pending_checkouts", verbose_name=_("customer")
    )
    top_up = models.OneToOneField(
        TopUp, on_delete=models.PROTECT, related_name="pending_checkout", verbose_name=_("top-up")
    )
    request_id = models.CharField(_("request ID"), max_length=64)
    service = models.ForeignKey(Service, on_delete=models.PROTECT, related_name="+", verbose_name=_("service"))
    quantity = models.BigIntegerField(_("quantity"))
    link = models.CharField(_("link or delivery address"), max_length=2000, blank=True)
    comments = models.TextField(_("comments"), blank=True)
    coupon_code = models.CharField(_("coupon"), max_length=40, blank=True)
    quote = models.TextField(_("price quote"), blank=True)
    price_micros = MicrosField(_("promised price"))
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    reason = models.CharField(_("why it was not placed"), max_length=300, blank=True)
    order = models.OneToOneField(
        Order, null=True, blank=True, on_delete=models.PROTECT, related_name="pending_checkout", verbose_name=_("order")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("pending checkout")
        verbose_name_plural = _("pending checkouts")
        constraints = [
            models.UniqueConstraint(fields=["user", "request_id"], name="pending_checkout_once_per_customer"),
            models.CheckConstraint(
                condition=Q(state="placed", order__isnull=False) | ~Q(state="placed") & Q(order=None),
                name="pending_checkout_names_what_it_placed",
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=Q(state="waiting"), name="pending_checkouts")]

    def __str__(self) -> str:
        return f"{self.service} × {self.quantity}"


class PromisedLoss(models.Model):
    """What the shop has lost on one service by keeping the prices it promised to one customer; see PRICE_LOCK_MAX_LOSS.

    `until` is when the last promise among them ends: then the row has nothing more to say, and counting begins anew.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", verbose_name=_("customer")
    )
    service = models.ForeignKey(Service, on_delete=models.CASCADE, related_name="+", verbose_name=_("service"))
    lost_micros = MicrosField(_("accepted loss"), default=0)
    until = models.DateTimeField(_("counts until"), db_index=True)

    class Meta:
        verbose_name = _("accepted loss")
        verbose_name_plural = _("accepted losses")
        constraints = [models.UniqueConstraint(fields=["user", "service"], name="promised_loss_once_per_customer")]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.service_id}"


class CouponQuerySet(models.QuerySet["Coupon"]):
    def valid(self, now: datetime) -> "CouponQuerySet":
        """Coupons that are on and within their time; what they ask of a customer is checked when one is used."""
        begun = Q(valid_from=None) | Q(valid_from__lte=now)
        return self.filter(begun, Q(valid_until=None) | Q(valid_until__gt=now), active=True)


class Coupon(models.Model):
    """A code that takes a percentage or an amount off an order, never below the floor margin."""

    code = models.CharField(_("code"), max_length=40, unique=True, help_text=_("Capital letters and digits."))
    percent = models.DecimalField(
        _("percent"),
        max_digits=5,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    amount_micros = MicrosField(_("amount"), default=0, validators=[MinValueValidator(0)])
    min_order_micros = MicrosField(_("minimum order"), default=0, validators=[MinValueValidator(0)])
    first_purchase_only = models.BooleanField(_("first purchase only"), default=False)
    per_customer = models.PositiveIntegerField(_("uses per customer"), default=1, help_text=_("0 = unlimited."))
    in_all = models.PositiveIntegerField(_("total uses"), default=0, help_text=_("0 = unlimited."))
    valid_from = models.DateTimeField(_("valid from"), null=True, blank=True)
    valid_until = models.DateTimeField(_("valid until"), null=True, blank=True)
    active = models.BooleanField(_("active"), default=True)
    uses = models.PositiveIntegerField(_("uses so far"), default=0, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    objects = CouponQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("coupon")
        verbose_name_plural = _("coupons")
        constraints = [
            models.CheckConstraint(condition=Q(code=Upper("code")), name="coupon_code_in_capitals"),
            models.CheckConstraint(
                condition=Q(percent__gt=0, amount_micros=0) | Q(percent=0, amount_micros__gt=0),
                name="coupon_is_percent_or_amount",
                violation_error_message=_("Enter either a percentage or an amount."),
            ),
            models.CheckConstraint(condition=Q(in_all=0) | Q(uses__lte=F("in_all")), name="coupon_not_used_too_often"),
        ]

    def __str__(self) -> str:
        return self.code


class CouponMaker(models.Model):
    """Who made a coupon, or changed it to be worth more: neither they nor who is tied to them may use it.

    The first time counts: what was used before it was no favor of theirs.
    """

    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="makers", verbose_name=_("coupon"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("made or raised by")
    )
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        ordering = ["id"]
        verbose_name = _("maker of a coupon")
        verbose_name_plural = _("makers of coupons")
        constraints = [models.UniqueConstraint(fields=["coupon", "user"], name="coupon_maker_once")]

    def __str__(self) -> str:
        return f"{self.coupon_id}: {self.user_id}"


class CouponUse(models.Model):
    """One order that a coupon made cheaper. One that was given back as a whole gives the use back as well."""

    coupon = models.ForeignKey(Coupon, on_delete=models.PROTECT, related_name="used", verbose_name=_("coupon"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("customer")
    )
    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="coupon_use", verbose_name=_("order"))
    discount_micros = MicrosField(_("discount"))
    created_at = models.DateTimeField(_("time"), default=timezone.now)
    freed_at = models.DateTimeField(
        _("use returned"),
        null=True,
        blank=True,
        help_text=_("The order was refunded in full, so this use no longer counts."),
    )

    class Meta:
        ordering = ["-id"]
        verbose_name = _("coupon use")
        verbose_name_plural = _("coupon uses")
        constraints = [
            models.CheckConstraint(condition=Q(discount_micros__gt=0), name="coupon_use_takes_something_off")
        ]
        indexes = [models.Index(fields=["coupon", "user"], condition=Q(freed_at=None), name="uses_of_a_customer")]

    def __str__(self) -> str:
        return f"{self.coupon_id} #{self.order_id}"


class ReferralEarning(models.Model):
    """What a customer earns from an order of somebody they referred: a share of its margin, once that is final."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Not final yet")
        CREDITED = "credited", _("Credited")
        VOID = "void", pgettext_lazy("earning", "Nothing earned")

    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="referral", verbose_name=_("order"))
    referrer = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="referral_earnings", verbose_name=_("customer")
    )
    percent = models.DecimalField(
        _("percentage of the margin"),
        max_digits=5,
        decimal_places=2,
        default=Decimal(0),
        help_text=_("As of when the order was placed."),
    )
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    amount_micros = MicrosField(_("amount"), default=0)
    due_at = models.DateTimeField(_("final on"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("referral earning")
        verbose_name_plural = _("referral earnings")
        constraints = [
            models.CheckConstraint(
                condition=Q(state="credited", amount_micros__gt=0) | ~Q(state="credited") & Q(amount_micros=0),
                name="referral_is_credited_or_nothing",
            )
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="waiting"), name="referrals_to_credit")]

    def __str__(self) -> str:
        return f"#{self.order_id}: {self.amount_micros}"


class CashbackEarning(models.Model):
    """What an order earns its own customer: a share of its margin, once that is final; less after a later refund."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Not final yet")
        CREDITED = "credited", _("Credited")
        VOID = "void", pgettext_lazy("earning", "Nothing earned")

    order = models.OneToOneField(Order, on_delete=models.PROTECT, related_name="cashback", verbose_name=_("order"))
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="cashback_earnings", verbose_name=_("customer")
    )
    percent = models.DecimalField(
        _("percentage of the margin"), max_digits=5, decimal_places=2, help_text=_("As of when the order was placed.")
    )
    state = models.CharField(_("state"), max_length=8, choices=State, default=State.WAITING)
    amount_micros = MicrosField(_("amount"), default=0)
    # What the customer had paid for the order when it was credited: what is refunded later is a part of that.
    kept_micros = MicrosField(_("paid for the order"), default=0)
    taken_back_micros = MicrosField(_("taken back"), default=0)
    owed_micros = MicrosField(_("of it owed"), default=0, help_text=_("The wallet did not hold it."))
    due_at = models.DateTimeField(_("final on"))
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    closed_at = models.DateTimeField(_("closed"), null=True, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("cashback")
        verbose_name_plural = _("cashback")
        constraints = [
            models.CheckConstraint(
                condition=Q(state="credited", amount_micros__gt=0, kept_micros__gte=F("amount_micros"))
                | ~Q(state="credited") & Q(amount_micros=0, kept_micros=0),
                name="cashback_is_credited_or_nothing",
            ),
            models.CheckConstraint(
                condition=Q(
                    owed_micros__gte=0,
                    taken_back_micros__gte=F("owed_micros"),
                    taken_back_micros__lte=F("amount_micros"),
                ),
                name="cashback_is_taken_back_at_most_once",
            ),
        ]
        indexes = [models.Index(fields=["due_at"], condition=Q(state="waiting"), name="cashback_to_credit")]

    def __str__(self) -> str:
        return f"#{self.order_id}: {self.amount_micros}"
