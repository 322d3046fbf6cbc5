"""What is remembered of signing in: wrong tries, known networks, changes of e-mail addresses, visits by support."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class WrongTry(models.Model):
    """One wrong password, code or coupon; counted here, so that a limit holds while Redis is away.

    A try that may turn out right is written down before it is looked at, and taken back when it was: of a hundred at
    once none slips through between the counting and the noting.
    """

    class Kind(models.TextChoices):
        SIGN_IN = "sign_in", _("Sign-in")
        COUPON = "coupon", _("Coupon")

    kind = models.CharField(max_length=10, choices=Kind)
    # A digest of what was tried: an address as it was typed, somebody's account. Whether it exists makes no difference.
    account = models.CharField(max_length=64)
    network = models.CharField(max_length=45, blank=True)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("wrong try")
        verbose_name_plural = _("wrong tries")
        indexes = [
            models.Index(fields=["kind", "account", "at"], name="wrong_tries_of_an_account"),
            models.Index(fields=["kind", "network", "at"], name="wrong_tries_from_a_network"),
            models.Index(fields=["at"], name="wrong_tries_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.at:%Y-%m-%d %H:%M}"


class KnownNetwork(models.Model):
    """A network from which somebody has signed in to this account: strangers' wrong passwords never lock it out."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="known_networks", verbose_name=_("customer")
    )
    network = models.CharField(max_length=45)
    last_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("known network")
        verbose_name_plural = _("known networks")
        constraints = [models.UniqueConstraint(fields=["user", "network"], name="one_row_per_user_and_network")]
        indexes = [models.Index(fields=["last_at"], name="known_networks_by_age")]

    def __str__(self) -> str:
        return self.network


class EmailChange(models.Model):
    """The account's address became another one; whoever reads the old mailbox may undo that for three days."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="email_changes", verbose_name=_("customer")
    )
    old_email = models.EmailField()
    new_email = models.EmailField()
    changed_at = models.DateTimeField(default=timezone.now)
    undone_at = models.DateTimeField(null=True, blank=True)  # or since when it can't be any more

    class Meta:
        verbose_name = _("change of email address")
        verbose_name_plural = _("changes of email addresses")
        ordering = ["-changed_at"]

    def __str__(self) -> str:
        return f"{self.old_email} → {self.new_email}"


class SupportVisit(models.Model):
    """Support has looked at the shop as this customer sees it, and said why. Who it was, the trail knows."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="support_visits", verbose_name=_("customer")
    )
    reason = models.CharField(_("reason"), max_length=200)
    began_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    told = models.BooleanField(default=False)  # by mail; of further visits within a day their page alone tells

    class Meta:
        verbose_name = _("visit by support")
        verbose_name_plural = _("visits by support")
        ordering = ["-began_at"]
        indexes = [models.Index(fields=["began_at"], name="support_visits_by_age")]

    def __str__(self) -> str:
        return f"{self.began_at:%Y-%m-%d %H:%M} {self.reason}"
