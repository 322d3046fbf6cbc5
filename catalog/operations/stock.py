"""How much is left of a limited service: asked upstream when a customer is about to order it.

Everybody who looks at a service within STOCK_CACHE_SECONDS shares one question. Nothing here raises, and nothing waits
for long: where upstream does not answer in time, what the shop has stored counts.
"""

import time
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor, wait

import structlog
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from accounts.read_only import is_read_only
from catalog.models import Service
from catalog.operations.stock_alerts import may_be_back
from upstream.client import Client, default_client
from upstream.errors import UpstreamError, UpstreamNotConfigured, Withheld
from upstream.limits.threads import waiting_threads
from upstream.protocol.wire import Inventory

log = structlog.get_logger(__name__)

# What the shared cache says of a service while somebody asks; then it says what is left of it.
ASKING = "asking"
LOOK_AGAIN_SECONDS = 0.05
_listeners: list[Callable[[], None]] = []


def when_sold_out_or_back(listener: Callable[[], None]) -> None:
    """Call this function when a service is found sold out, or back."""
    if listener not in _listeners:
        _listeners.append(listener)


def refresh_stock(*services: Service) -> None:
    """Ask upstream how much is left of the limited ones among these; store what differs, and let them say it.

    Call it outside any transaction: it may wait, STOCK_TIMEOUT_SECONDS at most for all services together.
    """
    if is_read_only():
        return
    limited = {_key(each): each for each in services if each.stock is not None and each.withdrawn_at is None}
    if not limited:
        return
    try:
        with waiting_threads.place():
            _refresh(limited)
    except Withheld as error:
        log.info("stock_not_asked", error=str(error))


def _refresh(limited: dict[str, Service]) -> None:
    ends_at = time.monotonic() + settings.STOCK_TIMEOUT_SECONDS
    # A process that dies while it asks leaves a key that expires by itself.
    patience_seconds = max(settings.STOCK_CACHE_SECONDS, 2 * settings.STOCK_TIMEOUT_SECONDS)
    ours = {key: service for key, service in limited.items() if cache.add(key, ASKING, timeout=patience_seconds)}
    answers = {}
    if ours:
        _read_stored(ours.values())  # they may have come out of a cache
        answers = _ask(ours.values(), ends_at)
    for key, service in ours.items():
        if service.pk in answers:
            _store(service, answers[service.pk])
        # Without an answer as well: nobody else should wait for it right away.
        cache.set(key, service.stock, timeout=settings.STOCK_CACHE_SECONDS)
    _wait_for_others({key: service for key, service in limited.items() if key not in ours}, ends_at)


def _key(service: Service) -> str:
    return f"stock:{service.pk}"


def _ask(services: Iterable[Service], ends_at: float) -> dict[int, Inventory]:
    """Return what upstream answered in time, by our id of the service."""
    asked_for = list(services)
    try:
        client = default_client(timeout_seconds=settings.STOCK_TIMEOUT_SECONDS)
    except UpstreamNotConfigured:
        return {}
    if len(asked_for) == 1:
        answer = _inventory(client, asked_for[0])
        return {} if answer is None else {asked_for[0].pk: answer}
    pool = ThreadPoolExecutor(min(len(asked_for), settings.UPSTREAM_MAX_IN_FLIGHT), thread_name_prefix="stock")
    try:
        asked = {pool.submit(_inventory, client, service): service.pk for service in asked_for}
        done, _late = wait(asked, timeout=max(ends_at - time.monotonic(), 0))
        answers = {asked[question]: question.result() for question in done}
        return {pk: answer for pk, answer in answers.items() if answer is not None}
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _inventory(client: Client, service: Service) -> Inventory | None:
    try:
        return client.inventory(service_id=service.upstream_id)
    except UpstreamError as error:  # a service that is gone is for the sync to withdraw
        log.info("stock_not_known", service_id=service.pk, error=str(error))
        return None


def _store(service: Service, answer: Inventory) -> None:
    left, before = answer.stock if answer.available else 0, service.stock
    if left == before:
        return
    # Guarded by what was read: a sync may have written since, and what it wrote stands.
    same = Service.objects.filter(pk=service.pk, stock=before)
    if not same.update(stock=left, changed_at=timezone.now()):
        service.refresh_from_db(fields=["stock"])
        return
    service.stock = left
    log.info("stock_changed", service_id=service.pk, before=before, left=left)
    if _enough(service, before) != _enough(service, left):
        for listener in _listeners:
            listener()
    if before is not None and before < service.min_quantity:
        may_be_back()


def _enough(service: Service, left: int | None) -> bool:
    """Whether the smallest order can be had; as HAS_STOCK."""
    return left is None or left >= max(service.min_quantity, 1)


def _wait_for_others(services: dict[str, Service], ends_at: float) -> None:
    """Wait until others have the answer to what they are asking, or the time is over; then read what differs."""
    waited = False
    while ASKING in (said := cache.get_many(services)).values() and time.monotonic() < ends_at:
        waited = True
        time.sleep(LOOK_AGAIN_SECONDS)
    old = [each for key, each in services.items() if waited or said.get(key, each.stock) != each.stock]
    if old:
        _read_stored(old)


def _read_stored(services: Collection[Service]) -> None:
    stored = Service.objects.filter(pk__in=[service.pk for service in services])
    stock_of = dict(stored.values_list("pk", "stock"))
    for service in services:
        service.stock = stock_of.get(service.pk, service.stock)
