"""What services cost the shop over time: upstream's rates as syncs found them, at the exchange rates of their time."""

from datetime import date, datetime, time

from django.utils import timezone

from catalog.models import ExchangeRate, Service, ServiceChange
from catalog.pricing.exchange_rates import currencies_differ, exchange_rate_micros
from upstream.money import MICROS

Changes = list[tuple[datetime, int]]


def cost_steps(service: Service, *, since: date, today: date) -> list[tuple[date, int]]:
    """Return from which day on a service's rate cost the shop how much, in store micros, oldest first.

    The first step begins at `since` or when the service was first seen, the last one is what holds at the end of
    `today`. Two queries, three where upstream's currency is another one.
    """
    begins = max(timezone.make_aware(datetime.combine(since, time.min)), service.first_seen_at)
    rates, exchange = _rates(service, begins), _exchange_rates(begins)
    by_day: dict[date, int] = {}
    for moment in sorted({at for at, _value in (*rates, *exchange)}):
        if timezone.localdate(moment) <= today:
            by_day[timezone.localdate(moment)] = -(-_at(rates, moment) * _at(exchange, moment) // MICROS)
    steps: list[tuple[date, int]] = []
    for day, micros in by_day.items():
        if not steps or steps[-1][1] != micros:
            steps.append((day, micros))
    return steps


def _rates(service: Service, begins: datetime) -> Changes:
    """Return upstream's rates from a moment on; what it was before the first change, that change says."""
    changes = ServiceChange.objects.filter(service=service, kind=ServiceChange.Kind.RATE, created_at__gte=begins)
    found = list(changes.order_by("pk").values_list("created_at", "rate_before_micros", "rate_after_micros"))
    first = found[0][1] if found else service.rate_upstream_micros
    return [(begins, first or 0), *((at, after or 0) for at, _before, after in found)]


def _exchange_rates(begins: datetime) -> Changes:
    found: Changes = [(begins, exchange_rate_micros(begins))]
    if currencies_differ():
        later = ExchangeRate.objects.filter(valid_from__gt=begins).order_by("valid_from", "pk")
        found += later.values_list("valid_from", "rate_micros")
    return found


def _at(changes: Changes, moment: datetime) -> int:
    """Return what held at a moment; the first holds before its time as well."""
    held = changes[0][1]
    for at, value in changes:
        if at <= moment:
            held = value
    return held
