"""What is traced and what leaves: requests, tasks, calls by `requests` and PostgreSQL's statements, without secrets.

The instrumentations note far more than may leave: addresses with their queries, who calls, texts of errors. So what
leaves is named here one by one (`TOLD`), and of an error only its class. A part of a trace is found by the `request_id`
and the `order_id` of the log.
"""

import logging
import os
import re
import threading
from typing import Any

import structlog
from celery.signals import before_task_publish
from django.conf import settings
from opentelemetry import propagate, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.celery import CeleryGetter, CeleryInstrumentor
from opentelemetry.instrumentation.django import DjangoInstrumentor
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.propagators.textmap import TextMapPropagator
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan, Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import Decision, ParentBased, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.http import sanitize_method

from storefront import __version__
from storefront.configuration.traces import Traces

STOP_SECONDS = 3.0
BEGIN_WITH = (SpanKind.SERVER, SpanKind.CONSUMER)  # what a trace begins with: a request, a task
LONG_NANOSECONDS = 1_000_000_000
MOST_HELD = 500  # spans of a round that are kept back until it is known whether it did anything
LONGEST_STATEMENT = 2000
OF_THE_LOG = ("request_id", "order_id")
TOLD = {
    *OF_THE_LOG,
    *("http.request.method", "http.response.status_code", "http.route", "error.type"),
    *("server.address", "supplier.action"),
    *("db.system.name", "db.query.text"),
    *("celery.task_name", "celery.state", "celery.retries", "messaging.destination"),
}
# Values stand beside a statement, not in it; what somebody writes into one nevertheless is cut.
LITERAL = re.compile(r"'(?:[^']|'')*'|\$(\w*)\$.*?\$\1\$", re.DOTALL)
ACTION = re.compile(r"(?:^|&)action=(\w{1,40})(?:&|$)")

_provider: TracerProvider | None = None


def begin(wanted: Traces) -> None:
    """Trace this process, and each that is forked off it."""
    global _provider
    os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "http,database"  # the names of TOLD
    resource = Resource.create({"service.name": wanted.service_name, "service.version": __version__})
    _provider = TracerProvider(
        sampler=ParentBased(_Beginnings(wanted.share)), resource=resource, shutdown_on_exit=False
    )
    exporter = _Harmless(OTLPSpanExporter(endpoint=wanted.endpoint.rstrip("/") + "/v1/traces"))
    _provider.add_span_processor(_Found(BatchSpanProcessor(exporter)))
    trace.set_tracer_provider(_provider)
    propagate.set_global_textmap(_OfOurTasks())
    # Inside of what gives a request its id, and of what answers for health, metrics and static files.
    position = settings.MIDDLEWARE.index("storefront.web.middleware.RequestLogMiddleware") + 1
    DjangoInstrumentor().instrument(middleware_position=position, response_hook=_name_request)
    RequestsInstrumentor().instrument(request_hook=_name_call)
    PsycopgInstrumentor().instrument()
    tasks = CeleryInstrumentor()
    tasks.instrument()
    # It never ends its span about a message whose task this process has not imported, which web sends most.
    before_task_publish.disconnect(tasks._trace_before_publish)
    before_task_publish.connect(_send_context, weak=False, dispatch_uid="trace-context")
    logging.getLogger().addHandler(_OrderOfRequest())


def stop() -> None:
    """Send what waits, in STOP_SECONDS at most."""
    if _provider is not None:
        last = threading.Thread(target=_provider.shutdown, name="traces-end", daemon=True)
        last.start()
        last.join(STOP_SECONDS)


class _Beginnings(Sampler):
    """Which traces begin: of requests and tasks alone, so that a statement outside of them makes none of its own."""

    def __init__(self, share: float) -> None:
        self._share = TraceIdRatioBased(share)

    def should_sample(
        self, parent_context: Any, trace_id: int, name: str, kind: Any = None, *more: Any, **named: Any
    ) -> Any:
        if kind not in BEGIN_WITH:
            return SamplingResult(Decision.DROP)
        return self._share.should_sample(parent_context, trace_id, name, kind, *more, **named)

    def get_description(self) -> str:
        return "Beginnings"


class _OfOurTasks(TextMapPropagator):
    """Takes up traces of our own messages alone.

    A stranger's header begins nothing here, and neither the supplier nor a gateway is told of our traces.
    """

    _read = TraceContextTextMapPropagator()

    def extract(self, carrier: Any, context: Any = None, getter: Any = None) -> Any:
        return (
            self._read.extract(carrier, context, getter) if isinstance(getter, CeleryGetter) else context or Context()
        )

    def inject(self, carrier: Any, context: Any = None, setter: Any = None) -> None:
        return

    @property
    def fields(self) -> set[str]:
        return set()


def _send_context(headers: dict[str, Any] | None = None, **_further: Any) -> None:
    if headers is not None:
        TraceContextTextMapPropagator().inject(headers)


class _Found(SpanProcessor):
    """Gives each span the ids of the log, and leaves out beat's rounds that found nothing to do.

    There are some each second, with a dozen statements each: an idle shop would send nothing else.
    """

    def __init__(self, onwards: SpanProcessor) -> None:
        self._onwards = onwards
        self._lock = threading.Lock()
        self._rounds: dict[int, list[ReadableSpan]] = {}

    def on_start(self, span: Span, parent_context: Any = None) -> None:
        bound = structlog.contextvars.get_contextvars()
        span.set_attributes({name: bound[name] for name in OF_THE_LOG if name in bound})
        if span.parent is None and span.kind is SpanKind.CONSUMER:
            with self._lock:
                self._rounds[span.context.trace_id] = []

    def on_end(self, span: ReadableSpan) -> None:
        leave = [span]
        with self._lock:
            held = self._rounds.get(span.context.trace_id)
            if held is not None:
                held.append(span)
                tells = _tells(span) or len(held) >= MOST_HELD
                if tells or span.parent is None:
                    del self._rounds[span.context.trace_id]
                leave = held if tells else []
        for one in leave:
            self._onwards.on_end(one)

    def shutdown(self) -> None:
        self._onwards.shutdown()

    def force_flush(self, timeout_millis: int | None = 30_000) -> bool:
        return self._onwards.force_flush() if timeout_millis is None else self._onwards.force_flush(timeout_millis)


def _tells(span: ReadableSpan) -> bool:
    long = (span.end_time or 0) - (span.start_time or 0) > LONG_NANOSECONDS
    noted = span.attributes or {}
    return long or span.status.status_code is StatusCode.ERROR or "order_id" in noted or "http.request.method" in noted


class _Harmless(SpanExporter):
    """Sends of each span what `TOLD` names."""

    def __init__(self, onwards: SpanExporter) -> None:
        self._onwards = onwards

    def export(self, spans: Any) -> SpanExportResult:
        return self._onwards.export([harmless(span) for span in spans])

    def shutdown(self) -> None:
        self._onwards.shutdown()


def harmless(span: ReadableSpan) -> ReadableSpan:
    """Return the span fit to leave."""
    told: dict[str, Any] = {name: value for name, value in (span.attributes or {}).items() if name in TOLD}
    if "db.query.text" in told:
        told["db.query.text"] = LITERAL.sub("?", str(told["db.query.text"]))[:LONGEST_STATEMENT]
    errors = [event for event in span.events if "exception.type" in (event.attributes or {})]
    return ReadableSpan(
        name=span.name,
        context=span.context,
        parent=span.parent,
        resource=span.resource,
        attributes=told,
        events=[Event("exception", {"exception.type": _class_of(event)}, event.timestamp) for event in errors],
        kind=span.kind,
        status=Status(span.status.status_code),  # its text is the error's
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=span.instrumentation_scope,
    )


def _class_of(event: Event) -> str:
    return str((event.attributes or {})["exception.type"])


def _name_request(span: Any, request: Any, _response: Any) -> None:
    """Name a request by the pattern of its address, also where it takes the API's short way or has its own host."""
    if match := request.resolver_match:
        span.update_name(f"{sanitize_method(request.method)} {match.route}")
        span.set_attribute("http.route", match.route)


def _name_call(span: Any, request: Any) -> None:
    """Name a call of the supplier by its action, which stands beside the key in the body."""
    if (
        request.url == settings.UPSTREAM_URL
        and isinstance(request.body, str)
        and (found := ACTION.search(request.body))
    ):
        span.update_name(f"supplier {found[1]}")
        span.set_attribute("supplier.action", found[1])


class _OrderOfRequest(logging.Handler):
    """Gives a request's span the order that it makes: it has its number only once the log tells of it."""

    def emit(self, record: logging.LogRecord) -> None:
        told = record.msg if isinstance(record.msg, dict) else {}
        span = trace.get_current_span()
        if "order_id" in told and getattr(span, "kind", None) is SpanKind.SERVER:
            span.set_attribute("order_id", told["order_id"])
