"""Who buys: a customer signs in with an e-mail address and may belong to a group with a discount."""

from datetime import datetime

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import get_random_string, salted_hmac
from django.utils.translation import gettext_lazy as _

from accounts.group_models import CustomerGroup
from accounts.kept_out_models import AccountBlock, DenyHit, DenyRule
from accounts.money import MicrosField
from accounts.sign_in_models import EmailChange, KnownNetwork, SupportVisit, WrongTry
from preferences.face import LANGUAGES

__all__ = [
    "DELETED_DOMAIN",
    "AccountBlock",
    "ApiKey",
    "ApiKeyQuerySet",
    "ApiKeySpending",
    "CustomerGroup",
    "DenyHit",
    "DenyRule",
    "EmailChange",
    "KnownNetwork",
    "SupportVisit",
    "User",
    "UserManager",
    "WrongTry",
    "deleted_address",
    "new_referral_code",
]


# Addresses of deleted accounts: of a domain that can never exist (RFC 2606), so that nobody proves one to be theirs.
DELETED_DOMAIN = "deleted.invalid"


def deleted_address(user_id: int) -> str:
    """Return what stands in place of the address of an account that was deleted.

    With a random part: an address that somebody could sign up with beforehand would keep the account from going.
    """
    return f"deleted-{user_id}-{get_random_string(8).lower()}@{DELETED_DOMAIN}"


def new_referral_code() -> str:
    """Return a code that can be read out, to be handed on to friends."""
    return get_random_string(10, "ABCDEFGHJKLMNPQRSTUVWXYZ23456789")


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

    email = models.EmailField(_("email address"), unique=True)
    group = models.ForeignKey(
        CustomerGroup, verbose_name=_("customer group"), null=True, blank=True, on_delete=models.PROTECT
    )
    # Both are read by nothing any more and go with the next release: what somebody chose is in notifications.
    wants_mail = models.BooleanField(
        _("emails about orders"),
        default=True,
        help_text=_("When an order is completed, partially completed or refunded."),
    )
    wants_price_mail = models.BooleanField(
        _("emails about prices"),
        default=False,
        help_text=_("When prices change for your favorites or for anything you bought in the past month."),
    )
    language = models.CharField(
        _("language"),
        max_length=10,
        blank=True,
        help_text=_("The language last chosen or used at sign-in. Emails are sent in it."),
    )
    referral_code = models.CharField(
        _("referral code"), max_length=10, unique=True, null=True, blank=True, default=None
    )
    referred_by = models.ForeignKey(
        "self", null=True, blank=True, on_delete=models.SET_NULL, related_name="referred", verbose_name=_("referred by")
    )
    # Part of what every session is checked against: one more, and whoever is signed in anywhere no longer is.
    sessions_ended = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    is_staff = models.BooleanField(_("staff"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        verbose_name = _("customer")
        verbose_name_plural = _("customers")
        permissions = [("sign_in_as", _("Can look at the shop as a customer sees it"))]
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_in_lower_case"),
            models.CheckConstraint(condition=~models.Q(referred_by=models.F("id")), name="nobody_refers_themselves"),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def mail_language(self) -> str:
        """The code of the language to write to this customer in: theirs, or the shop's own."""
        return self.language if self.language in LANGUAGES.value else settings.LANGUAGE_CODE

    @property
    def is_deleted(self) -> bool:
        """Whether the account was deleted at its owner's wish: nobody will ever sign in to it again."""
        return self.email.endswith(f"@{DELETED_DOMAIN}")

    def clean(self) -> None:
        super().clean()
        self.email = self.email.lower()

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Django's own hash of the password; once sessions have been ended, of how often that was as well."""
        password_hash: str = super()._get_session_auth_hash(secret)  # type: ignore[misc]  # unknown to the stubs
        if not self.sessions_ended:
            return password_hash
        return salted_hmac(f"sessions ended {self.sessions_ended}", password_hash, algorithm="sha256").hexdigest()


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def alive(self, now: datetime) -> "ApiKeyQuerySet":
        """Keys that are neither revoked nor expired."""
        return self.filter(models.Q(expires_at=None) | models.Q(expires_at__gt=now), revoked_at=None)


class ApiKey(models.Model):
    """A key for the shop's own API: 256 random bits, of which only the SHA-256 is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_keys", verbose_name=_("customer"))
    name = models.CharField(_("name"), max_length=80)
    # Empty for a key that staff made and its customer has not looked at yet.
    prefix = models.CharField(_("begins with"), max_length=16, blank=True)
    key_sha256 = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    last_used_from = models.GenericIPAddressField(_("last used from"), null=True, blank=True)
    expires_at = models.DateTimeField(
        _("valid until"),
        null=True,
        blank=True,
        help_text=_("Empty: valid until revoked. A rotated key expires at this time."),
    )
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)

    # What it may do. Any valid key may ask for the balance.
    may_read = models.BooleanField(_("may read the catalog and orders"), default=True)
    may_order = models.BooleanField(_("may order services"), default=True)
    may_sms = models.BooleanField(_("may buy SMS numbers"), default=True)
    # The database says yes: a program that knows nothing of this column made its key for all that it may read.
    may_see_secrets = models.BooleanField(
        _("may see delivered goods and codes"),
        default=False,
        db_default=True,
        help_text=_("Without it, orders and numbers come without the delivered accounts, codes and messages."),
    )
    daily_limit_micros = MicrosField(
        _("daily spending limit"), null=True, blank=True, help_text=_("Per calendar day in UTC. Empty: no limit.")
    )
    # The first key of a row of rotations: what any of them spends is counted there, so that they share one limit.
    counts_with = models.ForeignKey(
        "self",
        verbose_name=_("counts with"),
        null=True,
        blank=True,
        editable=False,
        on_delete=models.RESTRICT,
        related_name="replacements",
        db_index=False,  # built without a lock: see Meta
    )
    allowed_addresses = models.TextField(
        _("allowed addresses"), blank=True, help_text=_("IP addresses or networks, one per line. Empty: any address.")
    )
    calls_per_minute = models.PositiveIntegerField(
        _("calls per minute"), null=True, blank=True, help_text=_("Empty: the shop's default.")
    )
    is_test = models.BooleanField(
        _("test key"), default=False, help_text=_("Runs the whole API on test money; nothing real is bought.")
    )

    # Habits of existing programs that contradict the document; each is off until it is asked for.
    bare_services = models.BooleanField(_("services as a plain array"), default=False)
    numbers_as_text = models.BooleanField(_("numbers as strings"), default=False)
    get_for_reads = models.BooleanField(
        _("GET for read-only actions"),
        default=False,
        help_text=_("The key is then part of the URL, and URLs end up in logs."),
    )
    http_errors = models.BooleanField(_("errors with a 4xx status"), default=False)

    objects = ApiKeyQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(daily_limit_micros=None) | models.Q(daily_limit_micros__gte=0),
                name="api_key_limit_not_negative",
            ),
        ]
        indexes = [models.Index(fields=["counts_with"], name="keys_that_spend_together")]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)" if self.prefix else self.name

    @property
    def counted_at_id(self) -> int:
        """The key at which is counted what this one spends."""
        return self.counts_with_id or self.pk

    def is_alive(self, now: datetime) -> bool:
        """Whether it still opens anything."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class ApiKeySpending(models.Model):
    """What a key, with those that replaced it, has spent on one calendar day in UTC.

    Written in the transaction that takes the money.
    """

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="spending", verbose_name=_("API key"))
    day = models.DateField(_("day"))
    spent_micros = MicrosField(_("spent"), default=0)

    class Meta:
        ordering = ["-day", "-id"]
        verbose_name = _("API key spending")
        verbose_name_plural = _("API key spending")
        constraints = [
            models.UniqueConstraint(fields=["key", "day"], name="one_spending_row_per_key_and_day"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.day}"


class TrailIsAppendOnly(TypeError):
    """Somebody tried to change or delete an entry of the trail."""


class TrailQuerySet(models.QuerySet["TrailEntry"]):
    """Entries are added by `accounts.trail.record` and read; nobody changes them."""

    def update(self, **kwargs) -> int:
        raise TrailIsAppendOnly("trail entries are never edited")

    def delete(self):
        raise TrailIsAppendOnly("trail entries are never deleted")


class TrailEntry(models.Model):
    """Something that somebody with power did: who, when, from where, to what, before and after.

    Names are kept as texts and ids as numbers, so that an entry outlives whom and what it is about. Each holds the hash
    of the one before it; see `accounts/trail/chain.py`.
    """

    class Action(models.TextChoices):
        ADDED = "added", _("Added")
        CHANGED = "changed", _("Changed")
        DELETED = "deleted", _("Deleted")
        ACTED = "acted", _("Action carried out")
        LOOKED = "looked", _("Looked at goods or codes")
        EXPORTED = "exported", _("Exported")
        SIGNED_IN = "signed_in", _("Signed in")
        SIGN_IN_FAILED = "sign_in_failed", _("Sign-in failed")
        SIGNED_OUT = "signed_out", _("Signed out")
        SIGNED_IN_AS = "signed_in_as", _("Signed in as a customer")
        LEFT_SIGNED_IN_AS = "left_signed_in_as", _("Stopped being signed in as a customer")
        RIGHTS = "rights", _("Rights changed")
        FACTORS = "factors", _("Second factors changed")
        COMMAND = "command", _("Command line")
        DIGEST = "digest", _("Digest of a day")

    number = models.BigIntegerField(_("number"), unique=True)  # without gaps: the place in the chain
    created_at = models.DateTimeField(_("time"), default=timezone.now, db_index=True)
    action = models.CharField(_("action"), max_length=20, choices=Action)
    actor_id = models.BigIntegerField(_("account number"), null=True, blank=True)
    actor = models.CharField(_("by"), max_length=254, blank=True)
    address = models.GenericIPAddressField(_("address"), null=True, blank=True)
    agent = models.CharField(_("browser"), max_length=200, blank=True)
    # Proves address and browser as long as they are kept, and tells nothing of them once retention has taken the salt.
    origin_salt = models.CharField(max_length=32, blank=True)
    origin_digest = models.CharField(max_length=64)
    target_type = models.CharField(_("kind of target"), max_length=100, blank=True)
    target_id = models.CharField(_("number of the target"), max_length=64, blank=True)
    target = models.CharField(_("target"), max_length=200, blank=True)
    before = models.JSONField(_("before"), default=dict, blank=True)
    after = models.JSONField(_("after"), default=dict, blank=True)
    previous = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64)

    objects = TrailQuerySet.as_manager()

    class Meta:
        ordering = ["-number"]
        verbose_name = _("trail entry")
        verbose_name_plural = _("trail")

    def __str__(self) -> str:
        return f"{self.number}: {self.get_action_display()}"

    def save(self, *args, **kwargs) -> None:
        if self.pk is not None:
            raise TrailIsAppendOnly("trail entries are never edited")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise TrailIsAppendOnly("trail entries are never deleted")


class RetentionAge(models.Model):
    """How old a row of a table that only grows must be before retention may empty a column of it.

    Written by `migrate` from the settings, read by triggers; see `accounts/append_only.py`.
    """

    name = models.CharField(max_length=40, unique=True)
    days = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("retention age")
        verbose_name_plural = _("retention ages")

    def __str__(self) -> str:
        return f"{self.name}: {self.days}"
