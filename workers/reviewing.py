"""Why an alert was raised that no reading moved: silence and recalls, judged again on what the sweeper knew when it
judged.

Each step keeps that (`Evidence.facts`). Where it does not, because it is from before it did, what is stored tells it:
the newest message that had come by then, and the campaign by its name. And what is stored must not say otherwise: no
message may have come in the silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rules.catalogue import BY_NAME
from schemas.alert import AlertState, AlertStep
from schemas.errors import BadInput
from store import recalls as campaigns
from store import replays, sweeps
from store.pool import Connection
from workers.recalling import RECALL, judged_recall
from workers.sweeping import SILENT, judged_silence

SWEPT = frozenset({SILENT.name, RECALL.name})  #: rules that time and facts move, not readings
_OVERTAKEN = timedelta(minutes=2)  #: a message may be stored before it is noted that its car was heard


@dataclass(frozen=True, slots=True)
class Review:
    """The steps that come out now, and what is stored against them."""

    steps: list[AlertStep]
    against: str | None


async def review(connection: Connection, alert: dict[str, Any], committed: Sequence[dict[str, Any]]) -> Review:
    """The alert's steps, judged again one by one."""
    if alert["rule"] not in SWEPT or alert["rule"] not in BY_NAME:
        raise BadInput("ALERT", f"{alert['rule']} is not judged by time")
    again: list[AlertStep] = []
    standing: dict[str, Any] | None = None
    against = None
    for step in committed:
        if standing is not None and step["step"] <= standing["step"]:
            continue  # pending and active are one judgement
        at, facts = step["ts"], _facts(step)
        made, doubt = await (_silence if alert["rule"] == SILENT.name else _recall)(
            connection, alert, at, facts, standing
        )
        again += made
        against = against or doubt
        if made:
            standing = {
                "episode": made[-1].episode,
                "step": made[-1].step,
                "state": made[-1].state.value,
                "severity": made[-1].severity.value,
            }
    return Review(again, against)


def _facts(step: dict[str, Any]) -> dict[str, str] | None:
    return (step["evidence"] or {}).get("facts")


async def _silence(
    connection: Connection,
    alert: dict[str, Any],
    at: datetime,
    facts: dict[str, str] | None,
    standing: dict[str, Any] | None,
) -> tuple[tuple[AlertStep, ...], str | None]:
    heard = await replays.heard_before(connection, alert["vehicle_id"], at)
    known = datetime.fromisoformat(facts["last_heard_at"]) if facts else heard
    if known is None:
        return (), "when the car had been heard was not kept, and nothing is stored of it"
    car = sweeps.Silent(alert["vehicle_id"], alert["dealer_id"], known, *_stood(alert, standing))
    steps = (
        judged_silence(car, at)
        if facts
        else tuple(step.model_copy(update={"evidence": None}) for step in judged_silence(car, at))
    )
    silent = any(step.state is AlertState.ACTIVE for step in steps)
    if silent and heard is not None and known + _OVERTAKEN < heard < at - _OVERTAKEN:
        judged, came = f"{known:%Y-%m-%d %H:%M} UTC", f"{heard:%Y-%m-%d %H:%M} UTC"
        return steps, f"it was judged as heard last {judged}, but a message of {came} is stored"
    return steps, None


async def _recall(
    connection: Connection,
    alert: dict[str, Any],
    at: datetime,
    facts: dict[str, str] | None,
    standing: dict[str, Any] | None,
) -> tuple[tuple[AlertStep, ...], str | None]:
    opened = facts["campaign_open"] == "yes" if facts else standing is None
    car = campaigns.Recalled(
        alert["vehicle_id"], alert["dealer_id"], alert["component"], opened, *_stood(alert, standing)
    )
    steps = judged_recall(car, at)
    return steps if facts else tuple(step.model_copy(update={"evidence": None}) for step in steps), None


def _stood(
    alert: dict[str, Any], standing: dict[str, Any] | None
) -> tuple[int | None, int | None, str | None, str | None]:
    """What stood before: within the episode its last step, before it the end of the episode before."""
    if standing is not None:
        return standing["episode"], standing["step"], standing["state"], standing["severity"]
    if alert["episode"] == 1:
        return None, None, None, None
    return alert["episode"] - 1, 0, AlertState.RESOLVED.value, "advice"
