"""Who is kept out: accounts that staff has blocked, and what stands on the deny lists."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class AccountBlockQuerySet(models.QuerySet["AccountBlock"]):
    def open(self) -> "AccountBlockQuerySet":
        """Those that hold now."""
        return self.filter(ended_at=None)


class AccountBlock(models.Model):
    """An account was blocked, by whom, why, and until when. While one is open, the account is not active.

    `reason` is the staff's own; `told` is what the customer reads when they are turned away.
    """

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="blocks", verbose_name=_("customer")
    )
    reason = models.CharField(_("reason"), max_length=500)
    told = models.CharField(_("what the customer is told"), max_length=500, blank=True)
    # An account may be closed by its owner already: then it stays so when the block ends.
    was_active = models.BooleanField(default=True, editable=False)
    begun_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("blocked by")
    )
    begun_at = models.DateTimeField(_("blocked"), default=timezone.now)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=_("unblocked by"),
    )
    ended_at = models.DateTimeField(_("unblocked"), null=True, blank=True)

    objects = AccountBlockQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = _("block of an account")
        verbose_name_plural = _("blocks of accounts")
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(ended_at=None), name="one_open_block_per_account"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.begun_at:%Y-%m-%d}"


class DenyRule(models.Model):
    """One entry of a deny list. It is added and removed, never changed: `accounts.deny_list.known` relies on that.

    `value` is written as `accounts.deny_list.values` says.
    """

    class Kind(models.TextChoices):
        DOMAIN = "domain", _("Email domain")
        NETWORK = "network", _("Network")
        LINK = "link", _("Link")
        PAYER = "payer", _("Payer")

    kind = models.CharField(_("kind"), max_length=8, choices=Kind)
    value = models.CharField(_("value"), max_length=500)
    note = models.CharField(_("why"), max_length=300)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=_("added by")
    )
    created_at = models.DateTimeField(_("added"), default=timezone.now)
    hits = models.PositiveBigIntegerField(_("hits"), default=0, editable=False)
    last_hit_at = models.DateTimeField(_("last hit"), null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("deny list entry")
        verbose_name_plural = _("deny lists")
        constraints = [models.UniqueConstraint(fields=["kind", "value"], name="denied_once")]

    def __str__(self) -> str:
        return self.value


class DenyHit(models.Model):
    """Somebody met an entry of a deny list: who, where in the shop, and with what."""

    class Place(models.TextChoices):
        SIGN_UP = "sign_up", _("Sign-up")
        EMAIL = "email", _("Change of address")
        ORDER = "order", _("Order")
        PAYMENT = "payment", _("Payment")

    rule = models.ForeignKey(DenyRule, on_delete=models.CASCADE, related_name="met", verbose_name=_("entry"))
    place = models.CharField(_("where"), max_length=8, choices=Place)
    seen = models.CharField(_("what was used"), max_length=300)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        on_delete=models.CASCADE,
        related_name="deny_hits",
        verbose_name=_("customer"),
    )
    address = models.GenericIPAddressField(_("address"), null=True)
    at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("deny list hit")
        verbose_name_plural = _("deny list hits")

    def __str__(self) -> str:
        return self.seen
