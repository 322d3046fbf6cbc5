"""Whether an answer is plausible: how much of the catalog it would take away, price anew, or leave unread."""

from decimal import Decimal
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.translation import gettext as _

from catalog.sync.difference import changed_columns
from catalog.sync.fetch import CatalogAnswer, UpstreamOffer
from catalog.sync.names import Names
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
        words = _(
            "The rates of %(count)d of %(total)d services on sale rose or fell by more than a factor of %(factor)s; "
            "the limit is %(limit)d%%."
        )
        counts = {"count": repriced, "total": found.on_sale, "factor": factor, "limit": limit}
        doubts.append(Doubt("repriced", words % counts))
    set_aside, limit = len(answer.set_aside), settings.SYNC_MAX_SET_ASIDE_PERCENT
    if set_aside * 100 > answer.total * limit:
        words = _("%(count)d of %(total)d rows can't be used, more than %(limit)d%%.")
        doubts.append(Doubt("set_aside", words % {"count": set_aside, "total": answer.total, "limit": limit}))
    return doubts


MAX_EXAMPLES = 50  # of a kind


def summary(answer: CatalogAnswer, found: Scan, *, names: Names) -> dict[str, Any]:
    """Return counts and examples as JSON: upstream ids, names, rates in micros, changed columns."""
    repriced = sorted(repricings(answer, found), key=lambda repricing: repricing.ratio, reverse=True)
    new: list[UpstreamOffer] = [answer.offers[upstream_id] for upstream_id in sorted(found.new)]
    vanished, back = sorted(found.vanished), sorted(found.back)
    changed = [
        {**_named(service), "fields": fields}
        for service in sorted(found.changed)
        if (fields := _fields(service, answer.offers[service.upstream_id], names))
    ]
    return {
        "counts": {
            "on_sale": found.on_sale,
            "vanished": len(vanished),
            "repriced": len(repriced),
            "new": len(new),
            "back": len(back),
            "changed": len(changed),
            "set_aside": len(answer.set_aside),
        },
        "vanished": [_named(service) for service in vanished[:MAX_EXAMPLES]],
        "repriced": [
            {**_named(service), "before": service.rate_upstream_micros, "after": after}
            for service, after in repriced[:MAX_EXAMPLES]
        ],
        "new": [
            {"service": offer.upstream_id, "name": offer.name, "after": offer.rate_upstream_micros}
            for offer in new[:MAX_EXAMPLES]
        ],
        "back": [_named(service) for service in back[:MAX_EXAMPLES]],
        "changed": changed[:MAX_EXAMPLES],
    }


def _named(service: StoredService) -> dict[str, Any]:
    return {"service": service.upstream_id, "name": service.name}


def _fields(service: StoredService, offer: UpstreamOffer, names: Names) -> dict[str, list[Any]]:
    # SQLite's raw rows have 0 and 1 where the offer has a bool.
    before = service._replace(refill=bool(service.refill), cancel=bool(service.cancel))[2:11]
    fields = changed_columns(StoredService._fields[2:11], before, offer[2:])
    category = names.category_names[service.category_id]
    if category != offer.category:
        fields["place"] = [category, offer.category]
    return fields
