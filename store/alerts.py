"""Alerts and their steps: written by the gateway in the batch's transaction, read by everybody else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.alert import Alert, AlertState, AlertStep
from schemas.errors import NotFound
from schemas.moment import from_epoch
from store import notifications
from store.pool import Connection, as_dict
from store.undrivable import FORBIDS

# One statement, one round trip: steps, the alerts they lead to, wake-ups and bells. An alert is told of each step that
# is not a rule on trial; `told` says which (0 or 1) and with what payload. What was found on trial stays so when its
# rule may speak, until its turn comes (store/trials.py) or it becomes dangerous; what only becomes active then is no
# find.
_MOVE = """
WITH step AS (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::int[], $6::int[], $7::text[],
      $8::text[], $9::text[],
                         $10::timestamptz[], $11::bigint[], $12::int[], $13::boolean[], $14::jsonb[], $15::boolean[],
                           $35::text[])
    AS n (dealer, vehicle, rule, component, episode, step, state, severity, because, ts, place, version, late, evidence,
      told, trace)
), steps AS (
    INSERT INTO alert_steps (dealer_id, vehicle_id, rule, component, episode, step, state, severity, because, ts, place,
      rule_version, late, evidence)
    SELECT dealer, vehicle, rule, component, episode, step, state, severity, because, ts, place, version, late, evidence
      FROM step
    ON CONFLICT (vehicle_id, rule, component, episode, step) DO NOTHING
), moved AS (
    INSERT INTO alerts AS a (dealer_id, vehicle_id, rule, component, episode, step, state, severity, because, first_at,
      changed_at, received_at,
                             rule_version, late, shadow, evidence)
    SELECT d, v, r, c, e, s, st, sv, b, f, t, rc, rv, l, sh, coalesce(ev, '{}'::jsonb)
    FROM unnest($16::bigint[], $17::bigint[], $18::text[], $19::text[], $20::int[], $21::int[], $22::text[],
      $23::text[], $24::text[],
                $25::timestamptz[], $26::timestamptz[], $27::timestamptz[], $28::int[], $29::boolean[], $30::boolean[],
                  $31::jsonb[])
        AS n (d, v, r, c, e, s, st, sv, b, f, t, rc, rv, l, sh, ev)
    ON CONFLICT (dealer_id, vehicle_id, rule, component, episode) DO UPDATE SET
        step = excluded.step, state = excluded.state, severity = excluded.severity, because = excluded.because,
          changed_at = excluded.changed_at,
        received_at = excluded.received_at, rule_version = excluded.rule_version, late = excluded.late,
        shadow = a.shadow AND (excluded.shadow OR excluded.state <> 'active'
          OR a.state = 'active' AND excluded.severity <> 'now'),
        evidence = CASE WHEN excluded.evidence = '{}'::jsonb THEN a.evidence ELSE excluded.evidence END
    WHERE excluded.step > a.step
    RETURNING id, dealer_id, vehicle_id, rule, component, episode, shadow
), told AS (
    SELECT m.id, m.dealer_id, step.ts, jsonb_build_object('state', step.state, 'severity', step.severity, 'late',
      step.late)
                               || CASE WHEN step.trace IS NULL THEN '{}'
                                 ELSE jsonb_build_object('trace', step.trace) END AS payload
    FROM step JOIN moved m ON (m.vehicle_id, m.rule, m.component, m.episode) = (step.vehicle, step.rule, step.component,
      step.episode)
    WHERE step.told AND NOT m.shadow ORDER BY step.episode, step.step
), woken AS (
    INSERT INTO wakeups (dealer_id, topic, subject_id, payload, due_at) SELECT dealer_id, 'alert', id, payload, $32
      FROM told RETURNING id
)
SELECT pg_notify($33, '{"topic": "alert"}') FROM (SELECT 1 FROM woken LIMIT 1) AS once
UNION ALL
SELECT pg_notify($34, json_build_object('dealer', dealer_id, 'noun', 'alert', 'id', id)::text)
  FROM (SELECT DISTINCT dealer_id, id FROM told) AS rung
"""
_COLUMNS = (
    "id, dealer_id, vehicle_id, rule, rule_version, component, episode, step, state, severity, because, first_at, "
    "changed_at, received_at, case_id, shadow, late, evidence"
)
_ONE = f"SELECT {_COLUMNS} FROM alerts WHERE dealer_id = $1 AND id = $2"
_PAGE = f"""
SELECT {_COLUMNS} FROM alerts WHERE dealer_id = $1 AND ($2::bigint IS NULL OR id < $2) AND ($3::bigint IS NULL
  OR vehicle_id = $3)
    AND ($4::text[] IS NULL OR state = ANY($4)) AND NOT shadow ORDER BY id DESC LIMIT $5
"""
_OF_CASE = f"SELECT {_COLUMNS} FROM alerts WHERE dealer_id = $1 AND case_id = $2 ORDER BY id"
_DANGEROUS = f"""
SELECT a.id FROM alerts a JOIN vehicles v ON v.dealer_id = a.dealer_id AND v.id = a.vehicle_id
WHERE a.dealer_id = $1 AND v.owner_id = $2 AND {FORBIDS} ORDER BY a.id
"""
_STEPS_OF = """
SELECT rule, component, episode, step, state, severity, because, ts, place, rule_version, late, evidence
  FROM alert_steps
WHERE dealer_id = $1 AND vehicle_id = $2 AND rule = $3 AND component = $4 AND episode = $5 ORDER BY step
"""
#: What stands about the car of a case `c`, for a column: [rule, component, severity, because] of each active alert;
#: without one how urgent the case is.
STANDING = """coalesce(
    (SELECT jsonb_agg(jsonb_build_array(a.rule, a.component, a.severity, a.because) ORDER BY a.id) FROM alerts a
     WHERE a.dealer_id = c.dealer_id AND a.vehicle_id = c.vehicle_id AND a.state = 'active' AND NOT a.shadow),
    jsonb_build_array(jsonb_build_array(
        (SELECT a.rule FROM alerts a WHERE a.dealer_id = c.dealer_id AND a.case_id = c.id ORDER BY a.id DESC
          LIMIT 1), '', c.severity, c.title)))"""
_STANDING = f"SELECT {STANDING} FROM cases c WHERE c.dealer_id = $1 AND c.id = $2"
_ATTACH = "UPDATE alerts SET case_id = $3 WHERE dealer_id = $1 AND id = $2"
_ENDS = frozenset({AlertState.RESOLVED, AlertState.WITHDRAWN})
_TOLD = _ENDS | {AlertState.ACTIVE}


@dataclass(frozen=True, slots=True)
class Moved:
    """One step of one car, ready to be written."""

    dealer_id: int
    vehicle_id: int
    received_at: float
    step: AlertStep
    trace: str | None = None  #: what caused it, for whoever is woken by it (monitoring.tracing)
    quiet: bool = False  #: history from a file: what stands at its end is told then

    @property
    def told(self) -> bool:
        """Whether somebody is woken by it, if they know of the alert: of its end also when its rule was put on trial
        meanwhile."""
        return self.step.state in _TOLD and (not self.step.shadow or self.step.state in _ENDS) and not self.quiet


async def move(connection: Connection, moved: Sequence[Moved], now: datetime) -> None:
    """Write steps and the alerts they lead to, wake the workers and ring the desk. Repeating it changes nothing."""
    if not moved:
        return
    newest: dict[tuple[Any, ...], tuple[Moved, Moved]] = {}
    for m in moved:
        first = newest.get(_key(m), (m, m))[0]
        newest[_key(m)] = (first, m)
    final = sorted(
        newest.values(), key=lambda pair: (pair[1].vehicle_id, pair[1].step.episode)
    )  # an old episode closes before a new one opens
    steps = _columns([(*_step_row(m), m.told) for m in moved])
    alerts = _columns([_alert_row(first, last) for first, last in final])
    await connection.execute(
        _MOVE, *steps, *alerts, now, notifications.JOBS, notifications.DESK, [m.trace for m in moved]
    )


async def one(connection: Connection, dealer_id: int, alert_id: int) -> Alert:
    """One of a dealer's alerts."""
    row = await connection.fetchrow(_ONE, dealer_id, alert_id)
    if row is None:
        raise NotFound("alert")
    return Alert(**as_dict(row))


async def page(
    connection: Connection,
    dealer_id: int,
    *,
    before: int | None = None,
    vehicle_id: int | None = None,
    states: Sequence[str] | None = None,
    limit: int = 50,
) -> list[Alert]:
    """The newest first; `before` is the last id of the page before."""
    rows = await connection.fetch(_PAGE, dealer_id, before, vehicle_id, None if states is None else list(states), limit)
    return [Alert(**as_dict(row)) for row in rows]


async def of_case(connection: Connection, dealer_id: int, case_id: int) -> list[Alert]:
    """The alerts that a case is about, oldest first."""
    return [Alert(**as_dict(row)) for row in await connection.fetch(_OF_CASE, dealer_id, case_id)]


async def standing(connection: Connection, dealer_id: int, case_id: int) -> list[list[str]]:
    """[rule, component, severity, because] of each alert that stands about the car of this case; without one how urgent
    the case is.
    """
    found: list[list[str]] = await connection.fetchval(_STANDING, dealer_id, case_id)
    return found


async def suggesting(connection: Connection, dealer_id: int, case_id: int) -> list[tuple[str, str]]:
    """(rule, component) of what a case is about: what was not taken back."""
    rows = await connection.fetch(
        "SELECT rule, component FROM alerts WHERE dealer_id = $1 AND case_id = $2 AND state <> 'withdrawn' "
        "AND NOT shadow ORDER BY id",
        dealer_id,
        case_id,
    )
    return [(row["rule"], row["component"]) for row in rows]


async def steps_of(connection: Connection, alert: Alert) -> list[AlertStep]:
    """How an alert came to where it is."""
    rows = await connection.fetch(
        _STEPS_OF, alert.dealer_id, alert.vehicle_id, alert.rule, alert.component, alert.episode
    )
    return [
        AlertStep(
            **{**as_dict(row), "ts": row["ts"].timestamp(), "evidence": row["evidence"] or None, "shadow": alert.shadow}
        )
        for row in rows
    ]


async def dangerous(connection: Connection, dealer_id: int, owner_id: int) -> list[int]:
    """The alerts of this owner's cars that forbid to drive on."""
    return [row["id"] for row in await connection.fetch(_DANGEROUS, dealer_id, owner_id)]


async def attach(connection: Connection, dealer_id: int, alert_id: int, case_id: int) -> None:
    """Put an alert to the case that deals with it."""
    await connection.execute(_ATTACH, dealer_id, alert_id, case_id)


def _key(m: Moved) -> tuple[Any, ...]:
    return m.vehicle_id, m.step.rule, m.step.component, m.step.episode


def _evidence(step: AlertStep) -> dict[str, Any] | None:
    return None if step.evidence is None else step.evidence.model_dump(mode="json")


def _step_row(m: Moved) -> tuple[Any, ...]:
    s = m.step
    return (
        m.dealer_id,
        m.vehicle_id,
        s.rule,
        s.component,
        s.episode,
        s.step,
        s.state.value,
        s.severity.value,
        s.because,
        from_epoch(s.ts),
        s.place,
        s.rule_version,
        s.late,
        _evidence(s),
    )


def _alert_row(first: Moved, m: Moved) -> tuple[Any, ...]:
    s = m.step
    return (
        m.dealer_id,
        m.vehicle_id,
        s.rule,
        s.component,
        s.episode,
        s.step,
        s.state.value,
        s.severity.value,
        s.because,
        from_epoch(first.step.ts),
        from_epoch(s.ts),
        from_epoch(m.received_at),
        s.rule_version,
        s.late,
        s.shadow,
        _evidence(s),
    )


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
