"""Traces for a collector of OpenTelemetry's, where OTEL_EXPORTER_OTLP_ENDPOINT is set; else nothing is imported."""

from collections.abc import Callable
from typing import Any

from celery.signals import worker_shutdown
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

_stop: Callable[[], None] | None = None


def begin() -> None:
    """Send traces from now on, if they are wanted. Raises ImproperlyConfigured when the packages are missing."""
    global _stop
    if not settings.TRACES.endpoint:
        return
    try:
        from storefront.monitoring import open_telemetry
    except ImportError as error:
        raise ImproperlyConfigured(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, but its packages are not installed: "
            "pip install -r requirements/traces.txt, or unset it."
        ) from error
    open_telemetry.begin(settings.TRACES)
    _stop = open_telemetry.stop
    worker_shutdown.connect(stop, weak=False, dispatch_uid="traces")


def stop(**_told: Any) -> None:
    """Send what was not sent yet, as this process ends; a collector that does not answer is not waited for long."""
    if _stop is not None:
        _stop()
