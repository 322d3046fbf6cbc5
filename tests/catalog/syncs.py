"""What the tests of the sync share."""

from datetime import UTC, datetime, timedelta

from catalog.models import Service

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
LATER = NOW + QUARTER


def stored() -> list[tuple]:
    """Every service as it is."""
    return list(Service.objects.order_by("id").values_list())


def raise_rates(sandbox, service_ids, factor: float) -> None:
    """Multiply the rates of these services of the sandbox."""
    for service_id in service_ids:
        rate = float(sandbox.service(service_id)["rate"]) * factor
        sandbox.set_service(service_id, rate=f"{rate:.6f}")
