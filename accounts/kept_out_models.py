"""Who is kept out: accounts that staff has blocked."""

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
