"""The page that Prometheus reads: what all processes counted, and how things stand."""

import threading
import time
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import structlog
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST, Metric
from prometheus_client.exposition import generate_latest

from storefront.metrics import order_facts, shop_facts
from storefront.metrics.facts import Facts, Gauge, Values, by
from storefront.monitoring import shared_counts

log = structlog.get_logger(__name__)
CONTENT_TYPE = CONTENT_TYPE_LATEST
FACTS: tuple[Facts, ...] = (*order_facts.FACTS, *shop_facts.FACTS)
FAILED = Gauge("shop_metrics_failed", "1 for each part of this page that could not be read.", ("part",))
COUNTED = "counted"  # the part that comes from Redis

_lock = threading.Lock()
_kept: dict[str, tuple[float, dict[str, Values]]] = {}


class _Page:
    """What `generate_latest` asks for a page's metrics."""

    def collect(self) -> Iterator[Metric]:
        now, failed = timezone.now(), dict.fromkeys((COUNTED, *(facts.part for facts in FACTS)), 0.0)
        yield from _counted(failed)
        for facts in FACTS:
            found = _read(facts, now, failed)
            for gauge in facts.gauges:
                yield _metric(gauge, found.get(gauge.name, []))  # without values its text is still told
        yield _metric(FAILED, by("part", failed))


def written() -> bytes:
    """Return the page. What cannot be read is left out, and named in `shop_metrics_failed`."""
    page: Any = _Page()
    return generate_latest(page)


def forget() -> None:
    """Read everything anew for the next page."""
    with _lock:
        _kept.clear()


def _counted(failed: dict[str, float]) -> Iterable[Metric]:
    try:
        shared_counts.push()
        return shared_counts.counted_by_all()
    except Exception as error:  # Redis is away: how things stand is told nevertheless
        log.warning("metrics_not_read", part=COUNTED, error=type(error).__name__)
        failed[COUNTED] = 1.0
        return []


def _read(facts: Facts, now: datetime, failed: dict[str, float]) -> dict[str, Values]:
    """Return what was read of these lately, or read it; one at a time, however many ask."""
    with _lock:
        read_at, found = _kept.get(facts.part, (0.0, {}))
        if read_at and time.monotonic() - read_at < facts.kept_seconds:
            return found
        try:
            found = {name: list(values) for name, values in facts.read(now).items()}
        except Exception as error:  # one part that fails hides no other
            log.warning("metrics_not_read", part=facts.part, error=type(error).__name__)
            failed[facts.part] = 1.0
            return {}
        _kept[facts.part] = (time.monotonic(), found)
        return found


def _metric(gauge: Gauge, values: Values) -> Metric:
    metric = Metric(gauge.name, gauge.text, "gauge")
    for labels, value in values:
        metric.add_sample(gauge.name, labels, value)
    return metric
