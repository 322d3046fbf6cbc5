"""When prices may have changed: a number for what is cached, and the next moment a rule or a rate begins or ends."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from django.conf import settings
from django.db.models import Min, Q

from catalog.models import MarkupRule, PriceList
from catalog.preferences import DEFAULT_MARKUP, FLOOR_MARGIN
from catalog.pricing.exchange_rates import exchange_rate_micros, next_exchange_rate
from catalog.pricing.rules import Rule, read_rules


def price_version() -> int:
    """Return a number that grows whenever stored prices may have changed; one query.

    It lives in the database: a lost cache cannot bring an old one back. A group's discount is not part of it: what is
    cached for a group is stored under its discount too. Rules that begin or end change prices at `next_price_change`.
    """
    return PriceList.objects.values_list("version", flat=True).first() or 0


def next_price_change(now: datetime) -> datetime | None:
    """Return the next moment a rule begins or ends or an exchange rate begins, or None; one query, two at most."""
    moments = MarkupRule.objects.aggregate(
        begins=Min("valid_from", filter=Q(valid_from__gt=now)), ends=Min("valid_until", filter=Q(valid_until__gt=now))
    )
    found = [*moments.values(), next_exchange_rate(now)]
    return min((moment for moment in found if moment is not None), default=None)


def basis_now(now: datetime) -> str:
    """Return a digest of what selling rates depend on besides services and categories; one query or two."""
    return basis_of(read_rules(valid_at=now), now=now, exchange_rate_micros=exchange_rate_micros(now))


def basis_of(rules: Iterable[Rule], *, now: datetime, exchange_rate_micros: int) -> str:
    """Return the digest for these rules as they stand at a moment, and the exchange rate of then."""
    facts = [
        DEFAULT_MARKUP.value,
        FLOOR_MARGIN.value,
        settings.DEFAULT_RATE_PER,
        exchange_rate_micros,
        *sorted(str(tuple(rule)) for rule in rules if rule.is_valid(now)),
    ]
    return hashlib.sha256("\n".join(map(str, facts)).encode()).hexdigest()
