"""Traces of the work, sent to an OpenTelemetry collector if the environment names one.

OpenTelemetry's own variables configure all of it: ``OTEL_EXPORTER_OTLP_ENDPOINT`` starts it, ``OTEL_SERVICE_NAME``,
``OTEL_TRACES_SAMPLER`` and the others do what its specification says ("Environment Variable Specification"). The
libraries are an extra, and imported only then.
"""

import contextlib
import importlib.util
import logging
import os
from collections.abc import Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")

log = logging.getLogger(__name__)

_tracer: "Tracer | None" = None


def start_tracing(service_name: str) -> None:
    """Send spans from now on, if the environment says where to."""
    global _tracer
    if not any(os.environ.get(name) for name in _ENDPOINTS):
        return
    if importlib.util.find_spec("opentelemetry") is None:
        log.warning("traces are asked for, but not installed; install coverslip[otel]")
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    named = {} if os.environ.get("OTEL_SERVICE_NAME") else {SERVICE_NAME: service_name}
    provider = TracerProvider(resource=Resource.create(named))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    _tracer = provider.get_tracer("coverslip")


@contextlib.contextmanager
def span(
    name: str, attributes: Mapping[str, Any] | None = None, *, carried: Mapping[str, str] | None = None
) -> Iterator[None]:
    """Trace a piece of work.

    Parameters
    ----------
    name
        Of the work, of few values: no ids.
    attributes
        What is known of it; must hold no secrets. Values become text.
    carried
        Headers of the request that asked for it (W3C Trace Context); without it, a part of the span around it.
    """
    if _tracer is None:
        yield
        return
    from opentelemetry.propagate import extract

    context = extract(carried) if carried is not None else None
    with _tracer.start_as_current_span(name, context=context, attributes=_told(attributes or {})):
        yield


def describe_span(name: str, attributes: Mapping[str, Any]) -> None:
    """Give the span around this a better name, and add what has become known of it."""
    if _tracer is not None:
        from opentelemetry.trace import get_current_span

        get_current_span().update_name(name)
        get_current_span().set_attributes(_told(attributes))


def carry_trace(headers: MutableMapping[str, str]) -> None:
    """Add what lets the receiver of a request continue the present trace."""
    if _tracer is not None:
        from opentelemetry.propagate import inject

        inject(headers)


def _told(attributes: Mapping[str, Any]) -> dict[str, str]:
    return {f"coverslip.{name}": str(value) for name, value in attributes.items()}
