"""Who buys: a customer signs in with an e-mail address and may belong to a group with a discount."""

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.translation import gettext_lazy as _


def new_referral_code() -> str:
    """Return a code that can be read out, to be handed on to friends."""
    return get_random_string(10, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789")


class CustomerGroup(models.Model):
    """Customers who buy at a discount; a price never falls below its floor for them either."""

    name = models.CharField(_("name"), max_length=80, unique=True)
    discount_percent = models.DecimalField(
        _("discount, %"),
        max_digits=5,
        decimal_places=2,
        default=0,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )

    class Meta:
        ordering = ["name"]
        verbose_name = _("customer group")
        verbose_name_plural = _("customer groups")

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager["User"]):
    """Creates accounts by e-mail address; addresses are kept in lower case so that one person is one account."""

    def create_user(self, email: str, password: str | None = None, **fields) -> "User":
        if not email:
            raise ValueError("an account needs an e-mail address")
        user = self.model(email=email.lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields) -> "User":
        return self.create_user(email, password, **{**fields, "is_staff": True, "is_superuser": True})

    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email=(username or "").lower())


class User(AbstractBaseUser, PermissionsMixin):
    """A customer, or a member of staff."""

    email = models.EmailField(_("e-mail address"), unique=True)
    group = models.ForeignKey(
        CustomerGroup, verbose_name=_("customer group"), null=True, blank=True, on_delete=models.PROTECT
    )
    wants_mail = models.BooleanField(
        _("e-mails about orders"), default=True, help_text=_("When an order is finished, partial or refunded.")
    )
    wants_price_mail = models.BooleanField(
        _("e-mails about prices"),
        default=False,
        help_text=_("When prices of your favourites, or of what you bought last month, have changed."),
    )
    language = models.CharField(
        _("language"), max_length=10, blank=True, help_text=_("As last chosen or signed in with; mails follow it.")
    )
    referral_code = models.CharField(
        _("referral code"), max_length=10, unique=True, null=True, blank=True, default=None
    )
    referred_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="referred", verbose_name=_("brought by")
    )
    is_staff = models.BooleanField(_("staff"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_in_lower_case"),
            models.CheckConstraint(condition=~models.Q(referred_by=models.F("id")), name="nobody_brings_themselves"),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def mail_language(self) -> str:
        """The code of the language to write to this customer in: theirs, or the shop's own."""
        return self.language if self.language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE

    def clean(self) -> None:
        super().clean()
        self.email = self.email.lower()


class ApiKey(models.Model):
    """A key for the shop's own API: 256 random bits, of which only the SHA-256 is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys", verbose_name=_("customer"))
    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(_("begins with"), max_length=8)
    key_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"
