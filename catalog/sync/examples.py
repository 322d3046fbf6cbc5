"""What a held-back answer would change, small enough to keep: counts, and the most telling examples of each kind."""

from typing import Any

from catalog.sync.difference import changed_columns
from catalog.sync.fetch import CatalogAnswer, UpstreamOffer
from catalog.sync.names import Names
from catalog.sync.plausibility import repricings
from catalog.sync.scan import Scan, StoredService

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
