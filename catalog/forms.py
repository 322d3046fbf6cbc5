"""What a visitor asks of a shelf, read leniently: nonsense in the address shows the nearest sensible page."""

from dataclasses import dataclass

from django.conf import settings
from django.db import models
from django.db.models import F, Value
from django.db.models.functions import Coalesce, Lower, NullIf
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from catalog.models import ServiceQuerySet

LONGEST_SEARCH = 200
LARGEST_ID = 2**63 - 1


class Sort(models.TextChoices):
    """In which order a shelf stands. Prices are compared per piece, so that both rate units can share a shelf."""

    USUAL = "usual", _("Usual order")
    CHEAPEST = "cheapest", _("Cheapest first")
    DEAREST = "dearest", _("Dearest first")
    NAME = "name", _("By name")


@dataclass(frozen=True)
class ShelfQuery:
    """Search words, subcategory and order of a shelf."""

    words: str
    subcategory_id: int | None
    sort: Sort

    @classmethod
    def read(cls, params: QueryDict) -> "ShelfQuery":
        """Read the query string; what cannot be understood counts as not given."""
        words = " ".join(params.get("q", "").replace("\x00", " ").split())[:LONGEST_SEARCH]
        sort = params.get("sort", "")
        return cls(
            words=words,
            subcategory_id=_whole_number(params.get("sub", "")),
            sort=Sort(sort) if sort in Sort.values else Sort.USUAL,
        )

    def find(self, services: ServiceQuerySet) -> ServiceQuerySet:
        """Return those services that match the words, or whose number was typed."""
        if not self.words:
            return services
        number = _whole_number(self.words.removeprefix("#"))
        matching = services.matching(self.words)
        return matching if number is None else matching | services.filter(pk=number)

    def order(self, services: ServiceQuerySet) -> ServiceQuerySet:
        """Return the services in the order asked for; equal ones by number, so that pages never overlap."""
        if self.sort == Sort.USUAL:
            return services
        if self.sort == Sort.NAME:
            return services.order_by(Lower(Coalesce(NullIf("shown_name", Value("")), "name")), "pk")
        unit = Coalesce("own_rate_per", "category__rate_per", Value(settings.DEFAULT_RATE_PER))
        # A unit is 1 or 1000, so this is the rate for a thousand without any rounding.
        per_thousand = F("rate_upstream_micros") * (Value(1000) / unit)
        return services.order_by(per_thousand if self.sort == Sort.CHEAPEST else per_thousand.desc(), "pk")


def _whole_number(text: str) -> int | None:
    if not (text.isascii() and text.isdigit()):
        return None
    number = int(text[:30])
    return number if number <= LARGEST_ID else None
