"""One trace from the car's message to the text: message, alert, case, text, each a span, though hours and services lie
between them.

An alert's job, a case's jobs and a text's facts carry the trace that caused them (W3C `traceparent`) in a field that
they have anyway. While nobody asked for traces nothing is written, and a span costs one comparison. OpenTelemetry is an
extra (`otel`): only `set_up` imports it.

Spans hold ids of ours, kinds and reasons; never a VIN, a number, a name or what a text says.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Literal

from schemas.errors import Misconfigured

FIELD = "trace"  #: of a job's payload and of a message's facts
Kind = Literal["internal", "server", "client", "producer", "consumer"]
Note = Callable[[str, Any], None]  #: adds a fact to a span

_tracer: Any = None


def _unnoted(_name: str, _value: Any) -> None: ...


NOTHING: AbstractContextManager[Note] = nullcontext(_unnoted)  #: in place of a span while nobody asks for traces


def on() -> bool:
    """Whether anybody asked for traces."""
    return _tracer is not None


def span(
    name: str, *, parent: str | None = None, kind: Kind = "internal", began_s: float | None = None, **facts: Any
) -> AbstractContextManager[Note]:
    """A span while the block runs, below the current one or below what a row carried.

    `began_s` is `time.monotonic()`, when it began earlier.
    """
    return NOTHING if _tracer is None else _span(name, parent, kind=kind, began_s=began_s, facts=facts)


def carried() -> str | None:
    """What a row that this span causes carries on; None where there is none."""
    if _tracer is None:
        return None
    from opentelemetry.trace import get_current_span

    context = get_current_span().get_span_context()
    return (
        f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"
        if context.is_valid
        else None
    )


def carrying(facts: dict[str, Any]) -> dict[str, Any]:
    """The same facts, with the trace where there is one and they have none yet."""
    trace = carried()
    return facts if trace is None else {FIELD: trace, **facts}


@contextmanager
def _span(name: str, parent: str | None, kind: Kind, began_s: float | None, facts: dict[str, Any]) -> Iterator[Note]:
    from opentelemetry.trace import SpanKind
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    above = TraceContextTextMapPropagator().extract({"traceparent": parent}) if parent else None
    began = None if began_s is None else time.time_ns() - int((time.monotonic() - began_s) * 1e9)
    known = {f"telltale.{fact}": value for fact, value in facts.items() if value is not None}
    # A traceback may name a person: the kind of an error is enough here, the log has the rest.
    with _tracer.start_as_current_span(
        name,
        context=above,
        kind=SpanKind[kind.upper()],
        attributes=known,
        start_time=began,
        record_exception=False,
        set_status_on_exception=False,
    ) as one:
        try:
            yield lambda fact, value: one.set_attribute(f"telltale.{fact}", value)
        except BaseException as error:
            from opentelemetry.trace import Status, StatusCode

            one.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


@contextmanager
def set_up(service: str, url: str, exporter: Any = None) -> Iterator[None]:
    """While the block runs spans go to an OpenTelemetry collector by OTLP over HTTP.

    Without a `url` (or an exporter of one's own) there are none.
    """
    global _tracer
    if not url and exporter is None:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
    except ImportError:
        raise Misconfigured(
            "TELLTALE_TRACES_URL",
            "needs packages that are not installed: opentelemetry-sdk and opentelemetry-exporter-otlp-proto-http (the "
            "extra `otel`)",
        ) from None
    provider = TracerProvider(resource=Resource.create({"service.name": f"telltale-{service}"}), shutdown_on_exit=False)
    provider.add_span_processor(
        SimpleSpanProcessor(exporter)
        if exporter is not None
        else BatchSpanProcessor(OTLPSpanExporter(endpoint=url, timeout=5))
    )
    _tracer = provider.get_tracer("telltale")
    try:
        yield
    finally:
        _tracer = None
        provider.shutdown()
