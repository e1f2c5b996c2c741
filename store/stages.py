"""At which stage each rule stands: shadow is recorded and told to nobody, live speaks, off is not judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zlib import crc32

from schemas.history import Change
from store import history, notifications
from store.pool import Connection
from store.tallies import NOBODY

STAGES = ("shadow", "live", "off")
_READ = "SELECT rule, stage, reason, actor, at FROM rule_stages ORDER BY rule"
_WAS = "SELECT stage FROM rule_stages WHERE rule = $1"
_SET = """
INSERT INTO rule_stages (rule, stage, reason, actor, at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (rule) DO UPDATE SET stage = $2, reason = $3, actor = $4, at = $5
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a rule stands, and who moved it there and why."""

    rule: str
    stage: str
    reason: str
    actor: str
    at: datetime


async def stages(connection: Connection) -> dict[str, Stage]:
    """Every rule that was ever moved; a rule without a row stands where its file says."""
    return {row["rule"]: Stage(**dict(row)) for row in await connection.fetch(_READ)}


def stage_of(rule: str, own: str, moved: Mapping[str, Stage]) -> str:
    """Where a rule stands: where people put it, else where its file (`own`) says."""
    return moved[rule].stage if rule in moved else own


async def move(connection: Connection, rule: str, stage: str, *, reason: str, actor: str, now: datetime) -> None:
    """From now on; the gateways hear of it when this transaction commits.

    The move and its reason are history, of no dealer.
    """
    before = await connection.fetchval(_WAS, rule)
    await history.write(
        connection, NOBODY, "rule", number_of(rule), old=before, new=stage, reason=reason, actor=actor, now=now
    )
    await connection.execute(_SET, rule, stage, reason, actor, now)
    await notifications.ring(connection, notifications.CARS, vehicle=0, what="rules", rule=rule)


async def moves(connection: Connection, rule: str) -> list[Change]:
    """Every stage a rule was ever put on, oldest first."""
    return await history.of(connection, NOBODY, "rule", number_of(rule))


def number_of(rule: str) -> int:
    """History counts subjects by number; a rule has only its name."""
    return crc32(rule.encode())
