"""The deny lists as this process knows them: read again only when their version is another one.

Rules are added and removed, never changed, so their number and the newest of them tell one list from another. As with
preferences, whoever changes something writes the version into the cache, and a process asks the cache at most once a
second; where the cache does not know, the database is asked with one short query.
"""

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.core.cache import cache
from django.db import transaction
from django.db.models import Count, Max

from accounts.addresses import Network, parsed_network
from accounts.deny_list.values import Link, link_in
from accounts.models import DenyRule

Kind = DenyRule.Kind
VERSION_KEY = "deny_list_version"
NOTHING = "0:0"
ASK_THE_DATABASE = "ask"  # a change is under way, which its own transaction sees and others not yet
PROCESS_SECONDS, ASK_SECONDS, CACHE_SECONDS = 1.0, 5, 3600


@dataclass(frozen=True)
class Known:
    """The rules by what they are compared with; each leads to its number."""

    version: str
    domains: Mapping[str, int] = field(default_factory=dict)
    networks: tuple[tuple[Network, int], ...] = ()
    links: Mapping[str, list[tuple[Link, int]]] = field(default_factory=dict)
    payers: Mapping[str, int] = field(default_factory=dict)

    @property
    def names_cards(self) -> bool:
        """Whether a payer is denied by something else than an e-mail address."""
        return any("@" not in payer for payer in self.payers)


_known: tuple[Known, float] | None = None  # and until when it may be taken


def known() -> Known:
    """Return the lists; mostly nothing is asked for them."""
    global _known
    now = time.monotonic()
    if _known is not None and now < _known[1]:
        return _known[0]
    found = _look(_known[0] if _known else None)
    _known = found, now + PROCESS_SECONDS
    return found


def forget() -> None:
    """Make this process ask again."""
    global _known
    _known = None


def rules_changed() -> None:
    """Let every process know, now and once the transaction around this is committed."""
    forget()
    cache.set(VERSION_KEY, ASK_THE_DATABASE, timeout=ASK_SECONDS)
    transaction.on_commit(_tell)


def _tell() -> None:
    forget()
    cache.set(VERSION_KEY, _version(), timeout=CACHE_SECONDS)


def _look(before: Known | None) -> Known:
    newest = cache.get(VERSION_KEY)
    if newest is None or newest == ASK_THE_DATABASE:
        newest = _version()
        cache.add(VERSION_KEY, newest, timeout=CACHE_SECONDS)  # not over one that has been put there meanwhile
    if before is not None and before.version == newest:
        return before
    return Known(newest) if newest == NOTHING else _read(newest)


def _version() -> str:
    counted = DenyRule.objects.aggregate(count=Count("pk"), newest=Max("pk"))
    return f"{counted['count']}:{counted['newest'] or 0}"


def _read(version: str) -> Known:
    by_kind: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for pk, kind, value in DenyRule.objects.order_by("pk").values_list("pk", "kind", "value"):
        by_kind[kind].append((value, pk))
    links: dict[str, list[tuple[Link, int]]] = defaultdict(list)
    for value, pk in by_kind[Kind.LINK]:
        link = link_in(value)
        if link is not None:
            links[link.host].append((link, pk))
    return Known(
        version,
        domains=dict(by_kind[Kind.DOMAIN]),
        networks=tuple((network, pk) for value, pk in by_kind[Kind.NETWORK] if (network := parsed_network(value))),
        links=dict(links),
        payers=dict(by_kind[Kind.PAYER]),
    )
