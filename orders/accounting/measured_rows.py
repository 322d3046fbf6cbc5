"""Keeping what is measured of services, a row for each: only what differs is written."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import Model

WRITTEN_AT_ONCE = 1000


def keep_measured(model: type[Model], found: Mapping[int, Any], figures: tuple[str, ...]) -> int:
    """Make the rows of a model, by their service, those that were found; return of how many the figures differ.

    A row whose `figures` are the same stays as it is, the moment it was measured at included.
    """

    def of(row: Any) -> tuple[Any, ...]:
        return tuple(getattr(row, name) for name in figures)

    known = {row.pk: row for row in model._default_manager.all()}
    differing = [row for pk, row in found.items() if pk not in known or of(known[pk]) != of(row)]
    gone = known.keys() - found.keys()
    with transaction.atomic():
        model._default_manager.bulk_create(
            sorted(differing, key=lambda row: row.pk),  # in one order everywhere: no deadlock
            batch_size=WRITTEN_AT_ONCE,
            update_conflicts=True,
            unique_fields=["service"],
            update_fields=[*figures, "measured_at"],
        )
        if gone:
            model._default_manager.filter(pk__in=gone).delete()
    return len(differing) + len(gone)
