"""Whether an answer is plausible: how much of the catalog it would take away, price anew, or leave unread."""

from decimal import Decimal
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from catalog.sync.fetch import CatalogAnswer
from catalog.sync.scan import Scan, StoredService


class Doubt(NamedTuple):
    """One reason not to apply an answer before an admin has looked: a short word for the program, words for people."""

    kind: str
    words: str


class Repricing(NamedTuple):
    """A service on sale that gets another upstream rate."""

    service: StoredService
    after_micros: int

    @property
    def ratio(self) -> Decimal:
        """How many times the larger rate is the smaller one; a rate of zero changes beyond all measure."""
        low, high = sorted((self.service.rate_upstream_micros, self.after_micros))
        return Decimal(high) / low if low else Decimal("Infinity")


def repricings(answer: CatalogAnswer, found: Scan) -> list[Repricing]:
    """Return every service on sale whose rate changes."""
    rates = ((service, answer.offers[service.upstream_id].rate_upstream_micros) for service in found.changed)
    return [Repricing(service, after) for service, after in rates if after != service.rate_upstream_micros]


def doubts_about(answer: CatalogAnswer, found: Scan) -> list[Doubt]:
    """Return the reasons to hold this answer back; none for an answer that can be applied."""
    doubts = []
    vanished, limit = len(found.vanished), settings.SYNC_MAX_VANISHED_PERCENT
    if vanished * 100 > found.on_sale * limit:
        words = _("%(count)d of %(total)d services on sale are missing from the answer, more than %(limit)d%%.")
        doubts.append(Doubt("vanished", words % {"count": vanished, "total": found.on_sale, "limit": limit}))
    factor, limit = settings.SYNC_REPRICED_FACTOR, settings.SYNC_MAX_REPRICED_PERCENT
    repriced = sum(repricing.ratio > factor for repricing in repricings(answer, found))
    if repriced * 100 > found.on_sale * limit:
        words = _("The rates of %(count)d of %(total)d services on sale rose or fell by more than a factor "
"of %(factor)s; the limit is %(limit)d%%.")  # fmt: skip
        counts = {"count": repriced, "total": found.on_sale, "factor": factor, "limit": limit}
        doubts.append(Doubt("repriced", words % counts))
    set_aside, limit = len(answer.set_aside), settings.SYNC_MAX_SET_ASIDE_PERCENT
    if set_aside * 100 > answer.total * limit:
        words = _("%(count)d of %(total)d rows can't be used, more than %(limit)d%%.")
        doubts.append(Doubt("set_aside", words % {"count": set_aside, "total": answer.total, "limit": limit}))
    return doubts
