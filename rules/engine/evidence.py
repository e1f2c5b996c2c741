"""A step of an alert as it is committed: what it rests on, drawn, and its numbers."""

from __future__ import annotations

from rules.engine.alert_state import Move
from rules.engine.compiled import Line
from rules.engine.detector import Picture
from rules.engine.memory import Cell, Track
from rules.engine.snapshot import Snapshot
from schemas.alert import AlertStep, Evidence


def drawn(line: Line, track: Track, seen: Snapshot, cell: Cell) -> Picture:
    """The chart of an alert. Raises whatever the rule does."""
    return line.fitted.picture(track.component, track.samples.pairs(), cell, seen)


def evidence(track: Track, because: str, picture: Picture, seen: Snapshot) -> Evidence:
    """Why the alert was raised: enough to draw it and to judge it again."""
    series, limits = picture
    return Evidence(
        because=because,
        series=series,
        limits=limits,
        freeze_frame=seen.frame_of(track.component),
        first_place=track.first_place,
        last_place=seen.place,
    )


def committed(
    track: Track,
    move: Move,
    ts: float,
    place: int,
    *,
    version: int,
    shadow: bool,
    late: bool = False,
    evidence: Evidence | None = None,
) -> AlertStep:
    """One move, with the numbers under which it is stored."""
    return AlertStep(
        rule=track.rule,
        rule_version=version,
        component=track.component,
        episode=track.episode,
        step=move.step,
        state=move.state,
        severity=move.severity,
        because=move.because,
        ts=ts,
        place=place,
        late=late,
        shadow=shadow,
        evidence=evidence,
    )
