"""A batch that moved alerts is where a trace begins: what is woken by an alert carries it on.

All other batches are not looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any

from gateway.intake.batch import Batch
from monitoring import tracing


def of(batch: Batch) -> AbstractContextManager[Any]:
    """Around the commit of a batch: a span for it and one for each alert of which somebody is told; each such move gets
    its trace.
    """
    return _of(batch) if batch.moved and tracing.on() else tracing.NOTHING


@contextmanager
def _of(batch: Batch) -> Iterator[None]:
    with tracing.span("intake.batch", kind="consumer", began_s=batch.begun, messages=batch.messages):
        for n, moved in enumerate(batch.moved):
            if moved.told:
                step = moved.step
                facts: dict[str, Any] = {
                    "rule": step.rule,
                    "component": step.component,
                    "state": step.state.value,
                    "severity": step.severity.value,
                    "late": step.late,
                }
                with tracing.span(
                    "alert", began_s=batch.begun, vehicle=moved.vehicle_id, dealer=moved.dealer_id, **facts
                ):
                    batch.moved[n] = replace(moved, trace=tracing.carried())
        yield
