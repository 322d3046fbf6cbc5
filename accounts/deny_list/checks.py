"""Whether something is on a deny list, and the note that it was met.

Whoever is turned away is never told that there is a list, nor what on it they met.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts.addresses import parsed_address
from accounts.deny_list.known import known
from accounts.deny_list.values import domains_of, holds, payer_in, readings_of
from accounts.models import DenyHit, DenyRule, User

Place = DenyHit.Place
LONGEST_SEEN = 300


@dataclass(frozen=True)
class Denied:
    """A rule that was met, by its number, and what met it."""

    rule_id: int
    seen: str


def denied_email(email: str) -> Denied | None:
    """Return the rule that the domain of an address meets, or one above it."""
    rules = known().domains
    found = next((rules[domain] for domain in domains_of(email) if domain in rules), None) if rules else None
    return None if found is None else Denied(found, email)


def denied_network(address: str | None) -> Denied | None:
    """Return the rule that the address of a caller meets."""
    rules = known().networks
    parsed = parsed_address(address) if rules else None
    if parsed is None:
        return None
    found = next((rule for network, rule in rules if holds(network, parsed)), None)
    return None if found is None else Denied(found, str(parsed))


def denied_link(link: str) -> Denied | None:
    """Return the rule that the link of an order meets."""
    rules = known().links
    readings = readings_of(link) if rules else []
    if not readings:
        return None
    labels = readings[0].host.split(".")
    hosts = [".".join(labels[place:]) for place in range(len(labels) - 1)]
    near = [rule for host in hosts for rule in rules.get(host, ())]
    found = next((pk for rule, pk in near if any(read.is_below(rule) for read in readings)), None)
    return None if found is None else Denied(found, link)


def denied_payer(payers: Iterable[str]) -> Denied | None:
    """Return the rule that one of the names meets by which a gateway calls who has paid."""
    rules = known().payers
    if not rules:
        return None
    return next((Denied(rules[name], name) for name in map(payer_in, payers) if name in rules), None)


@transaction.atomic
def record_hit(
    denied: Denied, *, place: str, user: User | None = None, address: str | None = None, now: datetime | None = None
) -> None:
    """Count that a rule was met, when and by whom; nothing where it has been removed meanwhile."""
    now = now or timezone.now()
    rule = DenyRule.objects.filter(pk=denied.rule_id)
    if rule.update(hits=F("hits") + 1, last_hit_at=now):
        DenyHit.objects.create(
            rule_id=denied.rule_id, place=place, seen=denied.seen[:LONGEST_SEEN], user=user, address=address, at=now
        )
