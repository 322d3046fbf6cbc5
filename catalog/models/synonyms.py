"""What customers type for what services are called."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from upstream.reading.text import comparable

MAX_WORDS_OF_ONE = 3
MAX_FOUND_BY_ONE = 8


class SearchSynonym(models.Model):
    """A word or a few that customers type, and what a search for them finds as well."""

    # As `comparable` has it.
    typed = models.CharField(
        _("what is typed"),
        max_length=80,
        unique=True,
        help_text=_("A word, or up to three: “ig”, “tik tok”. Capitals and accents make no difference."),
    )
    finds = models.CharField(
        _("finds as well"),
        max_length=300,
        help_text=_("Words that services are described with, with commas between them: “followers, subscribers”."),
    )
    created_at = models.DateTimeField(_("added"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["typed"]
        verbose_name = _("search synonym")
        verbose_name_plural = _("search synonyms")

    def __str__(self) -> str:
        return self.typed

    @property
    def phrases(self) -> list[str]:
        """What it finds besides itself, each as texts are compared."""
        found = dict.fromkeys(comparable(phrase) for phrase in self.finds.split(","))
        return [phrase for phrase in found if phrase and phrase != self.typed]

    def clean_fields(self, exclude: Any = None) -> None:
        """Bring both texts to what is compared before anything is said of them, the uniqueness included."""
        self._tidy()
        super().clean_fields(exclude)

    def clean(self) -> None:
        """Refuse what no search could use: too many words, or nothing to find besides what is typed."""
        super().clean()
        if len(self.typed.split()) > MAX_WORDS_OF_ONE:
            raise ValidationError({"typed": _("Enter at most three words.")})
        if not self.phrases:
            raise ValidationError({"finds": _("Enter at least one word other than the one that is typed.")})
        if len(self.phrases) > MAX_FOUND_BY_ONE:
            raise ValidationError({"finds": _("Enter at most eight.")})

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save the row, both texts as texts are compared."""
        self._tidy()
        super().save(*args, **kwargs)

    def _tidy(self) -> None:
        self.typed = comparable(self.typed)
        self.finds = ", ".join(self.phrases)


class SearchWord(models.Model):
    """A word that services are described with, and how many are: what a mistyped word is compared with."""

    word = models.TextField(_("word"), primary_key=True)
    services = models.IntegerField(_("services"), db_default=0)

    class Meta:
        db_table = "catalog_searchword"
        verbose_name = _("search word")
        verbose_name_plural = _("search words")

    def __str__(self) -> str:
        return self.word
