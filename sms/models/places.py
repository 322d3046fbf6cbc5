"""Where numbers can be had and what for: countries, websites and apps, and the price of one in the other."""

from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.money import MicrosField
from catalog.models import TranslatedName, searched_names, shown_name
from sms.formats.countries import (
    dial_code_of,
    display_name,
    region_of,
    search_text,
)
from sms.formats.search_texts import fitting_text
from sms.preferences import NUMBERS_ON_SALE
from upstream.reading.text import words_of


class Country(TranslatedName):
    """A country in which upstream has numbers, keyed by the id its projects use."""

    code = models.CharField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=100)
    dial_code = models.CharField(
        _("dial code"), max_length=8, blank=True, help_text=_("With a plus sign, for example +44.")
    )
    # As `comparable` has it: the code, the dial code, and the name in every language of the shop.
    search_text = models.CharField(editable=False, max_length=400, default="")
    visible = models.BooleanField(_("visible"), default=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("country")
        verbose_name_plural = _("countries")

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the row; a new one can be found at once."""
        if self._state.adding and not self.search_text:
            self.dial_code = self.dial_code or dial_code_of(self.code, self.name)
            self.search_text = self.found_by()
        super().save(*args, **kwargs)

    @property
    def flag(self) -> str:
        """The flag emoji, or nothing for a country that is not known by its code."""
        return "".join(chr(0x1F1E6 + ord(letter) - ord("A")) for letter in region_of(self.code, self.name))

    @property
    def display_name(self) -> str:
        """The name in the reader's language, as upstream has it or else as it is known; else upstream's English one."""
        return shown_name(self.translated_names, "") or display_name(self.code, self.name)

    def found_by(self) -> str:
        """Return what `search_text` should be."""
        return search_text(self.code, self.name, self.dial_code, *searched_names(self.translated_names))


class Site(TranslatedName):
    """A website or app, whatever the country: upstream's projects of one name."""

    name = models.CharField(_("name"), max_length=200, unique=True)
    # As `comparable` has it: the name, and further words under which staff want it found.
    search_text = models.CharField(editable=False, max_length=400, default="")
    aliases = models.CharField(
        _("search aliases"),
        max_length=190,
        blank=True,
        help_text=_("Other words to find it by, separated by spaces."),
    )
    visible = models.BooleanField(_("visible"), default=True)
    # Kept by `sms.policy`, so that a listing asks one column and not the word list.
    forbidden = models.BooleanField(_("forbidden by a word"), default=False, editable=False)

    class Meta:
        ordering = ["name"]
        verbose_name = _("website or app")
        verbose_name_plural = _("websites and apps")

    def __str__(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        """What readers see: the name in their language, else the English one."""
        return shown_name(self.translated_names, self.name)

    def found_by(self) -> str:
        """Return what `search_text` should be."""
        return fitting_text(self.name, [self.aliases, *searched_names(self.translated_names)])


class ForbiddenWord(models.Model):
    """A word of the shop's acceptable-use policy: no website or app whose name contains it is sold."""

    word = models.CharField(
        _("word"), max_length=80, unique=True, help_text=_("Matched anywhere in a name, regardless of case.")
    )
    note = models.CharField(_("reason"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)

    class Meta:
        ordering = ["word"]
        verbose_name = _("forbidden word")
        verbose_name_plural = _("forbidden words")

    def __str__(self) -> str:
        return self.word


class ProjectQuerySet(models.QuerySet["Project"]):
    def on_sale(self) -> "ProjectQuerySet":
        """What is shown and can be bought; nothing while the owner sells no numbers."""
        return (
            self.none()
            if not NUMBERS_ON_SALE.value
            else self.filter(
                withdrawn_at=None,
                visible=True,
                country__visible=True,
                site__visible=True,
                site__forbidden=False,
            )
        )

    def matching(self, words: str) -> "ProjectQuerySet":
        """Projects whose name or country contain every word, in any order, as it looks."""
        found = self
        for word in words_of(words)[:10]:
            found = found.filter(search_text__contains=word)
        return found


class Project(models.Model):
    """One website or app in one country: what a number is bought for."""

    upstream_id = models.CharField(_("upstream ID"), max_length=64)
    country = models.ForeignKey(Country, on_delete=models.PROTECT, related_name="projects", verbose_name=_("country"))
    # How upstream writes the country where it lists this: what it is asked for with. Empty: as the country's own row.
    country_code = models.CharField(editable=False, max_length=20, blank=True, default="", db_default="")
    site = models.ForeignKey(Site, on_delete=models.PROTECT, related_name="projects", verbose_name=_("website or app"))
    name = models.CharField(_("name"), max_length=200)
    search_text = models.CharField(editable=False, max_length=400, default="")
    price_upstream_micros = MicrosField(_("upstream price"))
    visible = models.BooleanField(_("visible"), default=True)
    missed_syncs = models.PositiveSmallIntegerField(_("missed syncs"), default=0)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, blank=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ["name", "country__name"]
        verbose_name = _("SMS project")
        verbose_name_plural = _("SMS projects")
        constraints = [models.UniqueConstraint(fields=["upstream_id", "country"], name="project_once_per_country")]
        indexes = [models.Index(fields=["name"], condition=Q(withdrawn_at=None), name="project_on_sale")]

    def __str__(self) -> str:
        return f"{self.name} · {self.country}"

    @property
    def country_upstream(self) -> str:
        """What upstream calls the country; wants it at hand."""
        return self.country_code or self.country.code

    @property
    def title(self) -> str:
        """What readers see of what it is for, without the country; wants the website or app at hand."""
        return self.site.title

    @property
    def full_title(self) -> str:
        """What readers see of it in an order; wants the country and the website or app at hand."""
        return f"{self.title} · {self.country.display_name}"

    @property
    def sold_title(self) -> str:
        """What orders are recorded under, whoever reads them; wants the country at hand."""
        return f"{self.name} · {self.country.name}"

    @property
    def is_on_sale(self) -> bool:
        """What `on_sale` asks of the rows; wants the country and the site at hand."""
        shown = self.visible and self.country.visible and self.site.visible and not self.site.forbidden
        return shown and self.withdrawn_at is None and NUMBERS_ON_SALE.value

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the row; a new one without a website or app gets the one of its name."""
        if self.site_id is None:
            self.site, _created = Site.objects.get_or_create(
                name=self.name, defaults={"search_text": Site(name=self.name).found_by()}
            )
        super().save(*args, **kwargs)
