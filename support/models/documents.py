"""Pages that the owner writes: what there are, every version of each, and which terms a customer has accepted."""

from django.conf import settings
from django.core.validators import validate_slug
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Document(models.Model):
    """A page of the owner's, at an address of its own; what it says is its newest version."""

    slug = models.CharField(
        _("address"),
        max_length=40,
        unique=True,
        validators=[validate_slug],
        help_text=_("What stands in its address: small letters, digits and hyphens. It can't be changed later."),
    )
    position = models.PositiveSmallIntegerField(_("position"), default=100, help_text=_("Lower numbers come first."))
    in_footer = models.BooleanField(_("in the footer"), default=True)
    public = models.BooleanField(
        _("public"), default=True, help_text=_("Off: the page answers “not found”. Its versions stay.")
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        ordering = ["position", "id"]
        verbose_name = _("document")
        verbose_name_plural = _("documents")

    def __str__(self) -> str:
        return self.slug


class DocumentVersion(models.Model):
    """What a document says from one day on. The table only grows, as `accounts/append_only.py` says.

    `titles`, `texts` (Markdown) and `summaries` are {language: text}; a language that is missing is read in the shop's
    own. Who wrote it is kept as a number and a text, so that a row outlives them.
    """

    document = models.ForeignKey(
        Document, on_delete=models.PROTECT, related_name="versions", verbose_name=_("document")
    )
    number = models.PositiveIntegerField(_("version"))
    titles = models.JSONField(_("titles"))
    texts = models.JSONField(_("texts"))
    summaries = models.JSONField(_("what has changed"), default=dict, blank=True)
    asks_again = models.BooleanField(_("asks customers again"), default=False)
    created_at = models.DateTimeField(_("published"), default=timezone.now)
    actor_id = models.BigIntegerField(_("account number"), null=True, blank=True)
    actor = models.CharField(_("by"), max_length=254, blank=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("version of a document")
        verbose_name_plural = _("versions of documents")
        constraints = [models.UniqueConstraint(fields=["document", "number"], name="a_version_has_its_number")]

    def __str__(self) -> str:
        return f"{self.document_id} · {self.number}"


class TermsAcceptance(models.Model):
    """That a customer has accepted a version of the terms, when, and from where."""

    class Door(models.TextChoices):
        SIGN_UP = "sign_up", pgettext_lazy("accepted", "When signing up")
        PURCHASE = "purchase", pgettext_lazy("accepted", "Before a purchase")
        PAGE = "page", pgettext_lazy("accepted", "On the page of the terms")

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("customer")
    )
    version = models.ForeignKey(
        DocumentVersion, on_delete=models.PROTECT, related_name="acceptances", verbose_name=_("version")
    )
    door = models.CharField(_("where"), max_length=8, choices=Door)
    address = models.GenericIPAddressField(_("from"), null=True, blank=True)
    accepted_at = models.DateTimeField(_("accepted"), default=timezone.now, db_index=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = _("acceptance of the terms")
        verbose_name_plural = _("acceptances of the terms")
        constraints = [models.UniqueConstraint(fields=["user", "version"], name="a_version_is_accepted_once")]

    def __str__(self) -> str:
        return f"{self.user_id} · {self.version_id}"
