"""Traces, sent by a process of its own to a collector of ours."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_PROGRAM = """
import sys
from coverslip.telemetry.traces import carry_trace, describe_span, span, start_tracing

assert "opentelemetry" not in sys.modules
start_tracing("coverslip-test")
headers = {}
with span("attempt", {"item_id": 7}), span("fetching"):
    carry_trace(headers)
with span("POST", carried=headers):
    describe_span("POST /leases", {"status": 200})
with span("GET", carried={}):
    pass
print(sorted(headers), "opentelemetry" in sys.modules)
"""


class Collector:
    """Keeps the spans that it is sent."""

    def __init__(self) -> None:
        self.spans: dict[str, Any] = {}
        self.service_names: set[str] = set()
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    collector.service_names |= {
                        each.value.string_value
                        for each in of_resource.resource.attributes
                        if each.key == "service.name"
                    }
                    for scope in of_resource.scope_spans:
                        collector.spans |= {span.name: span for span in scope.spans}
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)


@pytest.fixture
def collector() -> Iterator[Collector]:
    made = Collector()
    thread = threading.Thread(target=made.server.serve_forever)
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def run(**environment: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM], env=kept | environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_spans_reach_the_collector(collector: Collector) -> None:
    port = collector.server.server_address[1]
    assert run(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}") == "['traceparent'] True"
    spans = collector.spans
    assert set(spans) == {"attempt", "fetching", "POST /leases", "GET"}
    assert spans["fetching"].parent_span_id == spans["attempt"].span_id
    assert spans["POST /leases"].parent_span_id == spans["fetching"].span_id, "the request carried it over"
    assert spans["POST /leases"].trace_id == spans["attempt"].trace_id != spans["GET"].trace_id
    attributes = {each.key: each.value.string_value for each in spans["attempt"].attributes}
    assert attributes == {"coverslip.item_id": "7"}
    assert collector.service_names == {"coverslip-test"}


def test_the_operator_may_name_the_service(collector: Collector) -> None:
    port = collector.server.server_address[1]
    run(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"http://127.0.0.1:{port}/x", OTEL_SERVICE_NAME="ours")
    assert collector.service_names == {"ours"}


def test_nothing_is_imported_unless_asked_for() -> None:
    assert run() == "[] False"
