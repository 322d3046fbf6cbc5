"""A collector of OpenTelemetry's as small as it can be: it takes traces by OTLP over HTTP, or never answers."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


class Collector:
    """What arrived: the bodies as they came, and the spans in them."""

    def __init__(self, *, answers: bool) -> None:
        self.bodies: list[bytes] = []
        self.asked = 0
        self.over = threading.Event()
        self.answers = answers
        self.url = ""

    def spans(self) -> list[dict[str, Any]]:
        """Return the spans so far, each with its attributes, its kind's number and its ids in hexadecimal digits."""
        found = []
        for body in list(self.bodies):
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    found += [_span(span) for span in scope.spans]
        return found

    def resources(self) -> dict[str, Any]:
        """Return what the last process said of itself."""
        return _values(ExportTraceServiceRequest.FromString(self.bodies[-1]).resource_spans[0].resource.attributes)


@contextmanager
def collecting(*, answers: bool = True) -> Iterator[Collector]:
    """Run a collector on a port of its own."""
    collector = Collector(answers=answers)

    class Taker(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.asked += 1
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if not collector.answers:
                collector.over.wait()
                return
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            assert self.path == "/v1/traces"
            collector.bodies.append(body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Taker) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        collector.url = f"http://127.0.0.1:{server.server_port}"
        yield collector
        collector.over.set()
        server.shutdown()


def _span(span: Any) -> dict[str, Any]:
    return {
        "name": span.name,
        "kind": span.kind,
        "trace": span.trace_id.hex(),
        "id": span.span_id.hex(),
        "parent": span.parent_span_id.hex(),
        "status": span.status.code,
        "seconds": (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9,
        "events": [_values(event.attributes) for event in span.events],
        **_values(span.attributes),
    }


def _values(attributes: Any) -> dict[str, Any]:
    return {one.key: getattr(one.value, str(one.value.WhichOneof("value"))) for one in attributes}
