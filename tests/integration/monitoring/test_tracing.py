"""One trace from the car's message to the text on a phone, over gateway, database and workers; and nothing at all when
nobody asks.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp.test_utils import TestClient, TestServer

from actions import sign_in
from actions.visitor import Visitor
from dealer_api import cookies
from dealer_api.application import build
from dealer_api.live import Live
from gateway import running as gateway
from monitoring import tracing
from rules.catalogue import RULES
from rules.engine.judge import Judge
from schemas.credentials import secret_hash
from telltale import data
from tests.conftest import Database
from tests.integration.gateway.test_alerts import codes
from tests.integration.gateway.world import TestCar, now, until
from tests.integration.workers.conftest import Scene, scene  # noqa: F401
from workers import running as workers

memory = pytest.importorskip(
    "opentelemetry.sdk.trace.export.in_memory_span_exporter",
    reason="the extra `otel` is not installed (./test installs it)",
)


@pytest.fixture
def spans() -> Iterator[Any]:
    exporter = memory.InMemorySpanExporter()
    with tracing.set_up("test", "", exporter):
        yield exporter


@contextlib.asynccontextmanager
async def working(scene: Scene) -> AsyncIterator[None]:  # noqa: F811
    task = asyncio.create_task(workers.serve(scene.context, scene.worker_url))
    yield
    task.cancel()
    await asyncio.wait({task})


@contextlib.asynccontextmanager
async def decoder(scene: Scene, database: Any, broker: Any) -> AsyncIterator[TestCar]:  # noqa: F811
    """A gateway, and the scene's car, which speaks."""
    ready = asyncio.Event()
    scene.clock.at = now() + timedelta(hours=1)  # what the gateway makes due is due for the workers
    await scene.admin.execute(
        "UPDATE vehicles SET secret_hash = $2, enrolled_at = $3 WHERE id = $1",
        scene.car.id,
        secret_hash("s" * 32),
        scene.clock(),
    )
    task = asyncio.create_task(
        gateway.run(
            database_url=database.role("gateway"),
            mqtt_url=broker.mqtt_url,
            clock=now,
            profiles=data.profiles(),
            judge=Judge(RULES, data.profiles()),
            auth_url=broker.auth_url,
            auth_seed=broker.auth_seed,
            broker_log=broker.log,
            ready=lambda **_: ready.set(),
        )
    )
    await asyncio.wait_for(ready.wait(), 60)
    car = await TestCar(scene.car.vin, "s" * 32, broker.port, scene.car.id).connect()
    yield car
    car.close()
    task.cancel()
    await asyncio.wait({task})


async def test_message_alert_case_and_text_are_one_trace(
    scene: Scene,  # noqa: F811
    database: Database,
    broker: Any,
    spans: Any,
) -> None:
    async with decoder(scene, database, broker) as car, working(scene):

        async def told() -> bool:
            car.say(codes(car, "P0301"), way="up/diagnostics")
            await asyncio.sleep(0.05)
            return bool(await scene.staff_phone("advisor"))

        await until(told, 60)

        async def sent() -> bool:
            return any(span.name == "message.sent" for span in spans.get_finished_spans())

        await until(sent)
    found = spans.get_finished_spans()
    text = next(span for span in found if span.name == "message.sent")
    trace = sorted(
        (span for span in found if span.context.trace_id == text.context.trace_id), key=lambda span: span.start_time
    )
    names = [span.name for span in trace]
    story = ["intake.batch", "alert", "work.alert", "case.opened", "message.hand_over", "message.sent"]
    assert [name for name in names if name in story][: len(story)] == story
    _each_hangs_below_its_cause(trace, story)
    alert, case = (next(span for span in trace if span.name == name) for name in ("alert", "case.opened"))
    assert (
        alert.attributes["telltale.rule"] in ("trouble_code", "misfire")
        and alert.attributes["telltale.vehicle"] == scene.car.id
    )
    assert case.attributes["telltale.case"] == (await scene.case())["id"]
    _nobody_is_in_it(found, scene)


def _each_hangs_below_its_cause(trace: list[Any], story: list[str]) -> None:
    by_id = {span.context.span_id: span for span in trace}
    names = []
    at = next(span for span in trace if span.name == "message.sent")
    while at is not None:
        names.append(at.name)
        at = by_id.get(at.parent.span_id) if at.parent else None
    assert names == story[::-1]


def _nobody_is_in_it(found: Any, scene: Scene) -> None:  # noqa: F811
    result = json.dumps([json.loads(span.to_json()) for span in found])
    secret = [
        scene.car.vin,
        scene.car.plate,
        scene.owner.name,
        scene.owner.phone,
        *(value for p in scene.people.values() for value in (p.name, p.phone, p.email)),
    ]
    assert [
        one for one in secret if one and one in result and one not in ("Driver", "Manager", "Advisor", "Technician")
    ] == []


async def test_what_a_person_writes_at_the_desk_is_one_trace_up_to_the_provider(
    scene: Scene,  # noqa: F811
    database: Database,
    spans: Any,
) -> None:
    server = TestServer(build(scene.house, Live(database.role("desk"))))
    async with TestClient(server) as client:
        entered = await sign_in.enter(scene.house, scene.people["advisor"], Visitor("127.0.0.1"), "password")
        client.session.cookie_jar.update_cookies({cookies.SESSION: entered.session}, server.make_url("/"))
        outside = {"Idempotency-Key": "one", "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}
        response = await client.post(
            f"/api/v1/owners/{scene.owner.id}/messages",
            json={"body": "Your car is ready when you are."},
            headers=outside,
        )
        assert response.status == 201, await response.text()
        assert (await client.get("/api/v1/cases")).status == 200
    await scene.send_all()
    trace = {span.name: span for span in spans.get_finished_spans()}
    assert set(trace) == {"POST /api/v1/owners/{id}/messages", "message.hand_over", "message.sent"}
    assert len({span.context.trace_id for span in trace.values()}) == 1
    request = trace["POST /api/v1/owners/{id}/messages"]
    assert request.parent is None, "a stranger's trace is not believed"
    assert (
        request.attributes["telltale.request"] == response.headers["X-Request-Id"]
        and request.attributes["telltale.status"] == 201
    )
    _nobody_is_in_it(spans.get_finished_spans(), scene)


async def test_a_provider_that_fails_shows_in_the_trace_without_its_words(scene: Scene, spans: Any) -> None:  # noqa: F811
    class Down:
        async def send(self, *_: Any) -> Any:
            raise OSError(f"no way to {scene.owner.phone}")

    scene.context.channels["phone"].send = Down().send  # type: ignore[method-assign]
    await scene.queue()
    await scene.send_all()
    sent = next(span for span in spans.get_finished_spans() if span.name == "message.sent")
    assert sent.status.description == "OSError" and not sent.events
    _nobody_is_in_it(spans.get_finished_spans(), scene)


async def test_while_nobody_asks_rows_carry_nothing(scene: Scene) -> None:  # noqa: F811
    from schemas.alert import AlertState

    await scene.alert(AlertState.PENDING, AlertState.ACTIVE)
    await scene.queue()
    assert [set(row["payload"]) for row in await scene.admin.fetch("SELECT payload FROM wakeups")] == [
        {"state", "severity", "late"}
    ]
    assert [row["facts"] for row in await scene.admin.fetch("SELECT facts FROM messages")] == [{"asserts": []}]
    await scene.work()
    assert not tracing.on() and tracing.carried() is None and tracing.span("x") is tracing.NOTHING


async def test_what_a_row_carries_that_is_no_trace_begins_a_new_one(spans: Any) -> None:
    for odd in ("", "no trace", "00-" + "0" * 32 + "-" + "0" * 16 + "-01"):
        with tracing.span("x", parent=odd):
            assert tracing.carried()
    assert all(span.parent is None for span in spans.get_finished_spans())
