"""What the shop caches between two changes of the catalog: pages, parts of pages, counts.

A cached value carries the catalog's version it was made at, and counts as lost when that is another one now. So it
never has to be removed, and a lost or emptied Redis costs time and nothing else.
"""

import hashlib
import random
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache as computed_once
from typing import Any, TypeVar

from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from catalog.caching.version import (
    PROCESS_SECONDS,
    STOCK_KEY,
    VERSION_KEY,
    Version,
    forget_process_version,
    process_version,
    version_from,
)
from catalog.pricing import next_price_change
from preferences.stored import version as preferences_version

# Read into what is cached besides the database: another value makes other pages.
_SETTINGS = (
    "CATALOG_LANGUAGES",
    "DEFAULT_MARKUP_PERCENT",
    "DEFAULT_RATE_PER",
    "FLOOR_MARGIN_PERCENT",
    "GOODS_DELIVERY",
    "LANGUAGES",
    "QUALITY",
    "STORE_CURRENCY",
    "STORE_NAME",
    "SUPPORT_EMAIL",
    "UNCONFIRMED_MAX_COST",
    "UPSTREAM_CURRENCY",
    "UPSTREAM_EXCHANGE_RATE",
)
Value = TypeVar("Value")
Found = tuple[Version, datetime | None, Any]  # the version, until when it is true, and what it is
MAX_PROCESS_PAGES = 400  # of fifty kilobytes at most, and most much smaller
_process_pages: dict[str, Found] = {}
MAKING_SECONDS = 5.0
_making: dict[str, threading.Lock] = {}
MAX_PROCESS_VALUES = 20  # a few keys are in use; each day, change of preferences and preview has others
_process_values: dict[str, "_Known"] = {}
_fetching = threading.Lock()
_forgotten = 0  # how often something was, so that nothing made before is stored after
_PROGRAM = (
    "templates",
    "locale",
    "storefront",
    "api",
    "sms",
    "orders",
    "catalog",
    "wallet",
    "accounts",
    "preferences",
    "privacy",
    "support",
    "upstream",
)


@dataclass
class _Known:
    """A value in this process's memory: its name, and at which version and until when the cache need not be asked."""

    name: str
    value: Any
    version: Version
    until: float


def cache_key(*about: object) -> str:
    """Return the key of something cached; another program, setting or preference never finds it."""
    parts = [_program(), preferences_version(), *(getattr(settings, name) for name in _SETTINGS), *about]
    return f"cached:{hashlib.sha256(repr(parts).encode()).hexdigest()}"


def look_up(key: str, *, tells_stock: bool = True) -> tuple[Version, Any]:
    """Return the catalog's version, and what was cached under the key at this version or None.

    Nobody is asked where this process knows both, else the cache once; and the database where that does not know the
    version. What tells no stock, and counts nothing by it, stays when that changes.
    """
    version = process_version()
    found = _process_pages.get(key) if version is not None else None
    if version is None or found is None or found[0] != _told(version, tells_stock):
        answers = cache.get_many([VERSION_KEY, STOCK_KEY, key])
        version, found = version_from(answers), answers.get(key)
        if found is not None:
            _remember(key, found)
    version = _told(version, tells_stock)
    return version, _still_true(found, version)


def _told(version: Version, tells_stock: bool) -> Version:
    return version if tells_stock else version.without_stock


@contextmanager
def one_maker(key: str) -> Iterator[None]:
    """Let one thread of this process at a time make what is missing under a key; look for it again inside.

    Who has waited for MAKING_SECONDS makes it all the same.
    """
    lock = _making.setdefault(key, threading.Lock())
    alone = lock.acquire(timeout=MAKING_SECONDS)
    try:
        yield
    finally:
        if alone:
            _making.pop(key, None)
            lock.release()


def cached(key: str, version: Version) -> Any:
    """Return what was cached under the key at this version of the catalog, None when there is nothing."""
    return _still_true(cache.get(key), version)


def store(
    key: str, version: Version, value: Any, *, shows_prices: bool = True, priced_at: datetime | None = None
) -> None:
    """Store a value made at this version; one with prices until the next of them changes. A query or two for that.

    `priced_at` is when the prices were looked at; None: just now.
    """
    until = next_price_change(priced_at or timezone.now()) if shows_prices else None
    cache.set(key, (version, until, value), timeout=settings.PAGE_CACHE_SECONDS)


def process_cached(key: str, version: Version, make: Callable[[], Value]) -> Value:
    """Return a value made at this version that shows no prices, from the memory of this process where that is possible.

    For what is larger than the question for it and never changed by who gets it.
    """
    found: Value | None = process_look_up(key, version)
    if found is not None:
        return found
    forgotten = _forgotten
    value = make()
    if forgotten == _forgotten:  # else it may have been made of what another thread has just changed
        process_store(key, version, value)
    return value


def process_look_up(key: str, version: Version, *, waits: bool = True) -> Any:
    """Return what `process_store` stored at this version, or None.

    The shared cache says which value is the one at this version, by a name that no other value ever has; a process
    asks it every tenth of a second at most. One thread fetches a value at a time: with `waits`, others wait for it,
    else they get None meanwhile.
    """
    known, now = _process_values.get(key), time.monotonic()
    if known is not None and known.version == version and now < known.until:
        return known.value
    name: str | None = cached(key, version)
    if name is None or not _fetching.acquire(blocking=waits):
        return None
    try:
        known = _process_values.get(key)
        value = known.value if known is not None and known.name == name else cache.get(name)
        if value is not None:
            _keep(key, _Known(name, value, version, time.monotonic() + PROCESS_SECONDS))
    finally:
        _fetching.release()
    return value


def process_store(key: str, version: Version, value: Any, *, seconds: float | None = None) -> None:
    """Store a value made at this version that shows no prices, for `process_look_up`, in the place of the one before.

    Whoever was about to fetch that one finds nothing, and has to do without or make it again.
    """
    name, before = f"{key}:{uuid.uuid4().hex}", cache.get(key)
    timeout = settings.PAGE_CACHE_SECONDS if seconds is None else seconds
    cache.set(name, value, timeout=timeout)
    cache.set(key, (version, None, name), timeout=timeout)
    if before is not None:
        cache.delete(before[2])
    _keep(key, _Known(name, value, version, time.monotonic() + PROCESS_SECONDS))


def _keep(key: str, known: _Known) -> None:
    _process_values.pop(key, None)
    _process_values[key] = known
    for oldest in list(_process_values)[:-MAX_PROCESS_VALUES]:
        _process_values.pop(oldest, None)


def forget_cached(key: str) -> None:
    """Have a value made anew at the version it was made at: what it is made of has changed, and the catalog has not."""
    global _forgotten
    _forgotten += 1
    found = cache.get(key)
    cache.delete_many([key, *([found[2]] if found is not None else [])])
    _process_values.pop(key, None)


def forget_process_cache() -> None:
    """Empty the memory of this process, as a new one would begin."""
    _process_pages.clear()
    _process_values.clear()
    forget_process_version()


def _remember(key: str, found: Found) -> None:
    if key not in _process_pages and len(_process_pages) >= MAX_PROCESS_PAGES:
        # Any one: who walks through a long list asks for each page when it has been unasked for longest.
        _process_pages.pop(random.choice(list(_process_pages)), None)  # noqa: S311 - no secret
    _process_pages[key] = found


def _still_true(found: Found | None, version: Version) -> Any:
    if found is None or found[0] != version or (found[1] is not None and found[1] <= timezone.now()):
        return None
    return found[2]


@computed_once
def _program() -> str:
    """Return a digest of the program that makes the pages: a new release must not show what an older one cached."""
    digest = hashlib.sha256()
    sources = [path for folder in _PROGRAM for path in (settings.BASE_DIR / folder).rglob("*")]
    for path in sorted(path for path in [*sources, settings.STATIC_ROOT / "staticfiles.json"] if path.is_file()):
        if path.suffix in {".py", ".html", ".mo", ".json"}:
            found = path.stat()
            digest.update(f"{path}:{found.st_mtime_ns}:{found.st_size}".encode())
    return digest.hexdigest()
