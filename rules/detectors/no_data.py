"""What only time can show: a car that says nothing, and facts from outside such as recalls.

Judged by the sweeper, never by the fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from schemas.alert import AlertState, AlertStep
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

QUIET_FOR = timedelta(days=7)  #: a car in a garage over a holiday is not worth a word
HABIT = 4.0  #: … nor one that is silent for less than four times its usual pause


@dataclass(frozen=True, slots=True)
class Standing:
    """The newest alert row of a rule and component, as the store has it."""

    state: AlertState
    episode: int
    step: int
    severity: Severity


def silence(
    last_heard: datetime | None,
    now: datetime,
    *,
    usual_pause: timedelta = timedelta(days=1),
    planned_until: datetime | None = None,
) -> Verdict:
    """Whether a car has been silent too long. A car never heard is unsure: it may not be fitted yet."""
    if last_heard is None:
        return Unsure("this car has never been heard")
    if planned_until is not None and now < planned_until:
        return Unsure(f"planned to rest until {planned_until:%Y-%m-%d}")
    quiet = now - last_heard
    if quiet >= max(QUIET_FOR, HABIT * usual_pause):
        return Holds(Severity.ADVICE, f"last heard {quiet.days} days ago: we cannot speak for this car")
    return Clear(f"last heard {last_heard:%Y-%m-%d %H:%M} UTC")


def recalls(open_recalls: Sequence[str]) -> dict[str, Verdict]:
    """The open campaigns of a car (vehicles.facts), each a component of its own."""
    return {
        name: Holds(Severity.ADVICE, f"the manufacturer's campaign {name} is open for this car")
        for name in open_recalls
    }


def step_for(
    rule: str,
    version: int,
    component: str,
    standing: Standing | None,
    verdict: Verdict,
    now: datetime,
    *,
    place: int = 0,
) -> tuple[AlertStep, ...]:
    """The alert's next steps for a rule without hold and settle; () when nothing moves."""
    is_open = standing is not None and standing.state in (AlertState.PENDING, AlertState.ACTIVE)
    episode, step = (standing.episode, standing.step) if standing else (0, -1)

    def made(state: AlertState, severity: Severity, because: str, episode: int, step: int) -> AlertStep:
        return AlertStep(
            rule=rule,
            rule_version=version,
            component=component,
            episode=episode,
            step=step,
            state=state,
            severity=severity,
            because=because,
            ts=now.timestamp(),
            place=place,
        )

    if isinstance(verdict, Holds) and not is_open:
        return (
            made(AlertState.PENDING, verdict.severity, verdict.because, episode + 1, 0),
            made(AlertState.ACTIVE, verdict.severity, verdict.because, episode + 1, 1),
        )
    if isinstance(verdict, Clear) and is_open and standing is not None:
        return (made(AlertState.RESOLVED, standing.severity, verdict.because, episode, step + 1),)
    return ()
