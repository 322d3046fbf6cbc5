"""Where traces go, by the variables that OpenTelemetry knows everywhere; without an address there are none."""

import re
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ImproperlyConfigured

from storefront.configuration.environment import Environment


@dataclass(frozen=True)
class Traces:
    """The collector's address, "" for no traces; what this shop is called there; which share of the traces is sent."""

    endpoint: str
    service_name: str
    share: float


def traces(env: Environment) -> Traces:
    """Return where traces go. Raises ImproperlyConfigured with the variable that is wrong."""
    # Read by the exporter itself. It may hold a key of the collector's, and is not quoted.
    if not re.fullmatch(r"([^=,]+=[^,]*(,|$))*", env.text("OTEL_EXPORTER_OTLP_HEADERS", "")):
        raise ImproperlyConfigured("OTEL_EXPORTER_OTLP_HEADERS should look like name=value,name=value.")
    return Traces(
        endpoint=env.url("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
        service_name=env.text("OTEL_SERVICE_NAME", "shop"),
        share=float(env.decimal("OTEL_TRACES_SAMPLER_ARG", "1", maximum=Decimal(1))),
    )
