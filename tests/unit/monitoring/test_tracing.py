"""Spans reach a collector by the protocol that all of them speak; one that is not there holds nobody up."""

from __future__ import annotations

import asyncio
import gzip
import sys
from typing import Any

import pytest
from aiohttp import web

from monitoring import tracing
from schemas.errors import Misconfigured
from telltale.logs import with_trace


async def test_spans_reach_a_collector() -> None:
    trace = pytest.importorskip(
        "opentelemetry.proto.collector.trace.v1.trace_service_pb2",
        reason="the extra `otel` is not installed (./test installs it)",
    )
    took: list[bytes] = []

    async def take(request: web.Request) -> web.Response:
        body = await request.read()
        took.append(gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body)
        return web.Response(body=b"", content_type="application/x-protobuf")

    app = web.Application()
    app.router.add_post("/v1/traces", take)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()

    def work() -> None:  # in a thread, for the last spans are handed over while the service ends
        with tracing.set_up("gateway", f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces"):
            with tracing.span("alert", rule="tyre_leak") as note:
                note("case", 7)

    await asyncio.to_thread(work)
    await runner.cleanup()
    request = trace.ExportTraceServiceRequest.FromString(took[0])
    [resource] = request.resource_spans
    result = {one.key: one.value.string_value for one in resource.resource.attributes}
    [span] = resource.scope_spans[0].spans
    assert result["service.name"] == "telltale-gateway"
    assert span.name == "alert" and {
        one.key: one.value.string_value or one.value.int_value for one in span.attributes
    } == {
        "telltale.rule": "tyre_leak",
        "telltale.case": 7,
    }


def test_a_collector_that_is_not_there_holds_nobody_up() -> None:
    pytest.importorskip("opentelemetry.sdk", reason="the extra `otel` is not installed (./test installs it)")
    with tracing.set_up("gateway", "http://127.0.0.1:9/v1/traces"):
        for _ in range(100):
            with tracing.span("alert"):
                pass
    assert not tracing.on()  # it came to an end, though nobody took the spans


def test_without_the_packages_the_setting_is_refused_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(sys.modules):
        if name.startswith("opentelemetry"):
            monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with (
        pytest.raises(Misconfigured, match="TELLTALE_TRACES_URL.*otel"),
        tracing.set_up("gateway", "http://127.0.0.1:9"),
    ):
        pass


def test_a_log_line_names_the_trace_in_which_it_happened() -> None:
    memory = pytest.importorskip(
        "opentelemetry.sdk.trace.export.in_memory_span_exporter",
        reason="the extra `otel` is not installed (./test installs it)",
    )
    line: dict[str, Any] = {"event": "x"}
    assert with_trace(None, "info", dict(line)) == line
    with tracing.set_up("gateway", "", memory.InMemorySpanExporter()), tracing.span("alert"):
        assert len(with_trace(None, "info", dict(line))["trace"]) == 32
