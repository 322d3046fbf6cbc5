"""Categories and subcategories as upstream names them, with what the admin decided on top."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from catalog.models.groups import CategoryGroup
from catalog.models.translated import TranslatedName, name_language, shown_name


class Delivery(models.TextChoices):
    """What the customer has to give us: where the work is done, where the goods are sent, or nothing.

    GOODS is what staff may choose and no service says: VAULT or EMAIL, as GOODS_DELIVERY has it.
    """

    LINK = "link", _("Link: the customer enters a URL")
    GOODS = "goods", _("Goods: as the setting GOODS_DELIVERY says")
    VAULT = "vault", _("Goods in the order: no address is asked for or sent; they come with the order's status")
    EMAIL = "email", _("Goods by email: the customer's address is sent upstream")


class RateUnit(models.IntegerChoices):
    """How many pieces the upstream rate buys."""

    THOUSAND = 1000, _("per 1,000")
    ONE = 1, _("each")


class CategoryQuerySet(models.QuerySet["Category"]):
    def shown(self) -> "CategoryQuerySet":
        """Categories whose services customers see, on their own page or on that of the one they are merged into."""
        return self.filter(Q(merged_into=None) | Q(merged_into__visible=True), visible=True)


class Category(TranslatedName):
    """A category as upstream names it; the admin may show it under another name, hide it, or set its rules."""

    name = models.CharField(_("upstream name"), max_length=200, unique=True)
    display_name = models.CharField(_("display name"), max_length=200, blank=True)
    own_names = models.JSONField(_("display names in other languages"), default=dict, db_default={}, blank=True)
    delivery = models.CharField(_("delivery"), max_length=8, choices=Delivery, default=Delivery.LINK)
    vault_proved_at = models.DateTimeField(
        _("goods in the order proved"),
        null=True,
        blank=True,
        help_text=_("When an order was first completed with goods in its status."),
    )
    rate_per = models.PositiveSmallIntegerField(
        _("rate unit"),
        choices=RateUnit,
        null=True,
        blank=True,
        help_text=_("Empty: the shop's default unit."),
    )
    rate_confirmed_at = models.DateTimeField(
        _("rate unit confirmed"), null=True, blank=True, help_text=_("By an actual charge or by an admin.")
    )
    merged_into = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="merged",
        verbose_name=_("merged into"),
        help_text=_("Its services are shown in that category; this one is not shown separately."),
    )
    group = models.CharField(
        _("group"),
        max_length=8,
        choices=CategoryGroup,
        blank=True,
        default="",
        db_default="",
        help_text=_("Under which heading customers find it. Empty: as read from its name."),
    )
    visible = models.BooleanField(_("visible"), default=True)
    position = models.IntegerField(_("position"), default=0, help_text=_("Lower numbers come first."))

    objects = CategoryQuerySet.as_manager()

    class Meta:
        ordering = ["position", "name"]
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.title

    @property
    def title(self) -> str:
        """What readers see: the shop's own name, else the one in their language, else the English one."""
        own = (self.own_names and self.own_names.get(name_language())) or self.display_name
        return shown_name(self.translated_names, self.name, own=own)

    @property
    def shown_as(self) -> "Category":
        """The category on whose page its services stand."""
        return self.merged_into or self

    def clean(self) -> None:
        """Refuse to merge in circles or over several steps: services are shown one category further, never two."""
        super().clean()
        if self.merged_into_id is None:
            return
        if self.merged_into_id == self.pk:
            raise ValidationError({"merged_into": _("A category can't be merged into itself.")})
        if self.merged_into is not None and self.merged_into.merged_into_id is not None:
            raise ValidationError(
                {"merged_into": _("That category is itself merged into another one. Choose that one instead.")}
            )
        if self.pk is not None and Category.objects.filter(merged_into=self.pk).exists():
            raise ValidationError({"merged_into": _("Other categories are merged into this one. Move them first.")})


class Subcategory(TranslatedName):
    """A subcategory inside one category; the same name in another category is another subcategory."""

    category = models.ForeignKey(
        Category, on_delete=models.CASCADE, related_name="subcategories", verbose_name=_("category")
    )
    name = models.CharField(_("name"), max_length=200)

    class Meta:
        ordering = ["name"]
        verbose_name = _("subcategory")
        verbose_name_plural = _("subcategories")
        constraints = [models.UniqueConstraint(fields=["category", "name"], name="subcategory_once_per_category")]

    def __str__(self) -> str:
        return f"{self.category} · {self.title}"

    @property
    def title(self) -> str:
        """What readers see: the name in their language, else the English one."""
        return shown_name(self.translated_names, self.name)
