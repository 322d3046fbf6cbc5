"""Who has how much: one wallet per customer and the ledger that explains its balance."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.money import MicrosField


class Wallet(models.Model):
    """A customer's money. The balance is a cache of the ledger's sum; only `wallet.operations` writes it."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="wallet", verbose_name=_("customer")
    )
    balance_micros = MicrosField(_("balance"), default=0)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        verbose_name = _("wallet")
        verbose_name_plural = _("wallets")
        constraints = [
            models.CheckConstraint(condition=models.Q(balance_micros__gte=0), name="wallet_balance_not_negative")
        ]

    def __str__(self) -> str:
        return str(self.user)


class LedgerIsAppendOnly(TypeError):
    """Somebody tried to change or delete a ledger row; a mistake is mended by a new row with the opposite sign."""


class LedgerQuerySet(models.QuerySet["LedgerEntry"]):
    """Ledger rows are added and read, never changed."""

    def update(self, **kwargs) -> int:
        raise LedgerIsAppendOnly("ledger rows are never edited")

    def delete(self):
        raise LedgerIsAppendOnly("ledger rows are never deleted")

    def newest_first(self) -> "LedgerQuerySet":
        return self.order_by("-id")


class LedgerEntry(models.Model):
    """One movement of money. `reference` is unique in its wallet, so that a repeat fails instead of paying twice."""

    class Kind(models.TextChoices):
        TOP_UP = "top_up", _("Top-up")
        BONUS = "bonus", _("Bonus")
        REVERSAL = "reversal", _("Payment reversal")
        CHARGE = "charge", _("Order")
        REFUND = "refund", _("Refund")
        DISCOUNT = "discount", _("Coupon")
        REFERRAL = "referral", _("Referral earnings")
        CASHBACK = "cashback", _("Cashback")
        ADJUSTMENT = "adjustment", _("Adjustment")
        WITHDRAWAL = "withdrawal", _("Withdrawal")

    wallet = models.ForeignKey(
        Wallet,
        on_delete=models.PROTECT,
        related_name="entries",
        verbose_name=_("wallet"),
        db_index=False,  # `ledger_of_a_wallet` begins with it
    )
    kind = models.CharField(_("kind"), max_length=12, choices=Kind)
    amount_micros = MicrosField(_("amount"))
    reference = models.CharField(_("reference"), max_length=100)
    note = models.CharField(_("note"), max_length=300, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name=_("by"),
    )
    created_at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)

    objects = LedgerQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        constraints = [
            models.UniqueConstraint(fields=["wallet", "reference"], name="ledger_reference_once_per_wallet"),
            models.CheckConstraint(condition=~models.Q(amount_micros=0), name="ledger_amount_not_zero"),
        ]
        indexes = [models.Index(fields=["wallet", "-id"], include=["amount_micros"], name="ledger_of_a_wallet")]

    def __str__(self) -> str:
        return self.reference

    def save(self, *args, **kwargs) -> None:
        if self.pk is not None:
            raise LedgerIsAppendOnly("ledger rows are never edited")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise LedgerIsAppendOnly("ledger rows are never deleted")
