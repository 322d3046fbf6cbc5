"""How long goods are under warranty: as staff says, else as their title or description does, else as usual."""

import re
from typing import Any

from django.utils.html import strip_tags

from catalog.models import Delivery, Fact, Service
from catalog.preferences import USUAL_WARRANTY_DAYS
from catalog.titles.facts import LIFETIME_DAYS, Facts
from catalog.titles.vocabulary import phrases_in

LONGEST_READ = 4000  # characters of a description in which a warranty is looked for
LIFETIME_HOURS = LIFETIME_DAYS * 24
_DAYS_OF_MONTH = 30


def facts_with_warranty(service: Service) -> Facts:
    """Return the facts, with the warranty that the description tells where the title tells none."""
    facts: Facts = dict(service.facts)
    if Fact.REFILL in facts or Fact.WARRANTY in facts:
        return facts
    text = (service.description or service.upstream_description)[:LONGEST_READ]
    plain = re.sub(r"[^\S\n]+", " ", strip_tags(re.sub(r"<(?:br|/p|/li)[^>]*>", "\n", text)))
    for line in plain.splitlines()[:200]:
        for found in phrases_in(line[:500]):
            if found.fact in (Fact.REFILL, Fact.WARRANTY):
                facts.setdefault(found.fact, found.value)
    return facts


def warranty_hours(service: Service, facts: Facts | None = None) -> int | None:
    """Return for how many hours after their delivery goods are covered, 0 for none; None where no goods are sold.

    LIFETIME_HOURS stands for as long as they run. `facts` are those of `facts_with_warranty`, where they are at hand.
    Needs the category loaded.
    """
    if service.delivery == Delivery.LINK:
        return None
    if service.warranty_days is not None:
        return min(service.warranty_days * 24, LIFETIME_HOURS)
    facts = facts_with_warranty(service) if facts is None else facts
    told: Any = facts.get(Fact.WARRANTY)
    if told is not None:
        return min(int(told), LIFETIME_HOURS)
    if refilled := facts.get(Fact.REFILL):  # "no refill" says nothing about goods
        return min(int(refilled) * 24, LIFETIME_HOURS)
    if "full_warranty" in facts.get(Fact.INCLUDES, ()):
        months: Any = facts.get(Fact.TERM)
        return min(int(months) * _DAYS_OF_MONTH * 24, LIFETIME_HOURS) if months else LIFETIME_HOURS
    return USUAL_WARRANTY_DAYS.value * 24
