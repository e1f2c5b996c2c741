"""The alert machine: none → pending → active → resolved | lapsed, moved by verdicts and reading time, never by people.

| alert is \\ verdict | Holds                        | Clear                       | Unsure |
|--------------------|------------------------------|-----------------------------|--------|
| idle               | → pending, a new episode     | –                           | –      |
| pending            | held for `hold` → active     | → lapsed                    | the hold pauses |
| active             | severity may change          | clear for `settle` → resolved | –    |

Time decides what answers what: a verdict on evidence older than the newest that the alert answered moves nothing, so no
step is dated before the one it follows, whatever order the car sends in.

What stands is said again within a severity once it is GROWN times what was told last, and never because it shrinks: it
cannot flap.

A danger that its rule has confirmed (`Holds.at_once`) waits for no hold.
What old readings showed is history: once a reading that is not old shows the same, a step says that it is so now.

What comes and goes is one alert that says "intermittent": active for the third time within FLIP_WINDOW_S (FLIPS
beginnings and ends), it does not resolve before it was clear for LONG_SETTLE_S. What was only pending has not come.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rules.engine.memory import Samples, Track, Tracks
from rules.engine.rule import Rule
from schemas.alert import ALERT, AlertEvent, AlertState
from schemas.verdict import Clear, Holds, Severity, Unsure, Verdict

FLIPS = 6  #: three times come and gone
FLIP_WINDOW_S = 86_400.0
LONG_SETTLE_S = 86_400.0
GROWN = 1.5
LOWER_S = 86_400.0  #: a severity falls only after it was lower for so long
AFTERMATH_S = 3 * 86_400.0  #: a battery needs days to recover from an alternator that did not charge it
KEPT_SAMPLES = 120
SAMPLE_APART_S = 600.0  #: an active alert keeps a sample every ten minutes

_PENDING, _ACTIVE = AlertState.PENDING.value, AlertState.ACTIVE.value


@dataclass(frozen=True, slots=True)
class Move:
    """One step of the machine: its number within the episode, the new state, how severe, and why."""

    step: int
    state: AlertState
    severity: Severity
    because: str


def advance(
    track: Track, verdict: Verdict, ts: float, place: int, hold_s: float, settle_s: float, samples: int = 2
) -> list[Move]:
    """Move the track by one verdict at reading time `ts`; the steps in their order, most often none."""
    if ts < track.newest:
        return []
    if isinstance(verdict, Holds):
        return _holds(track, verdict, ts, place, hold_s, samples)
    if isinstance(verdict, Clear) and track.open:
        return _clear(track, verdict, ts, settle_s)
    if isinstance(verdict, Unsure) and track.state == _PENDING and not verdict.missing:
        track.unsure = True
    return []


def _holds(track: Track, verdict: Holds, ts: float, place: int, hold_s: float, samples: int) -> list[Move]:
    moves = []
    if track.unsure:  # since it was last seen to hold
        track.paused_s, track.unsure = track.paused_s + ts - track.newest, False
    last, track.newest, track.clear_since = track.newest, ts, None
    if not track.open:
        _begin(track, verdict, ts, place)
        moves.append(_move(track, AlertState.PENDING, verdict.severity, verdict.because))
    if track.state == _PENDING:
        track.severity = verdict.severity.value
        track.seen += ts > last or not track.seen
        held = ts - track.since - track.paused_s >= hold_s and (track.seen >= samples or not hold_s)
        if verdict.at_once or held:
            track.seen, track.told = 0, verdict.size or 0.0
            _flip(track, ts)
            track.intermittent = len(track.flips) >= FLIPS - 1
            moves.append(
                _move(
                    track,
                    ALERT.next(AlertState.PENDING, AlertEvent.HELD),
                    verdict.severity,
                    _worded(track, verdict.because),
                )
            )
    elif track.state == _ACTIVE and verdict.severity.value != track.severity:
        moves += _changed(track, verdict, ts)
    elif track.state == _ACTIVE:
        track.lower_since = None
        moves += _grown(track, verdict)
    return moves


def _grown(track: Track, verdict: Holds) -> list[Move]:
    """Clearly larger than when it was told last: said again, as urgent as it was."""
    if verdict.size is None or (track.told and verdict.size < GROWN * track.told):
        return []
    before, track.told = track.told, verdict.size
    if not before or verdict.severity is Severity.NOW:  # nothing is more urgent than that, however large it grows
        return []
    because = f"{verdict.because}; {verdict.size / before:.1f} times what it was when it was told"
    return [_move(track, ALERT.next(AlertState.ACTIVE, AlertEvent.CHANGED), verdict.severity, _worded(track, because))]


def _changed(track: Track, verdict: Holds, ts: float) -> list[Move]:
    """Worse is told at once; better only after it stayed so for LOWER_S."""
    worse = verdict.severity.rank > Severity(track.severity).rank
    if not worse:
        track.lower_since = ts if track.lower_since is None else track.lower_since
        if ts - track.lower_since < LOWER_S:
            return []
    track.lower_since = None
    if verdict.size is not None:
        track.told = max(track.told, verdict.size)
    return [
        _move(
            track, ALERT.next(AlertState.ACTIVE, AlertEvent.CHANGED), verdict.severity, _worded(track, verdict.because)
        )
    ]


def _clear(track: Track, verdict: Clear, ts: float, settle_s: float) -> list[Move]:
    track.lower_since = None
    if track.clear_since is None:
        # what follows while it stays clear is not kept: a car that is calm is not looked at
        track.newest = track.clear_since = ts
    if ts - track.clear_since < _wait(track, settle_s):
        return []
    came, state = track.state == _ACTIVE, ALERT.next(AlertState(track.state), AlertEvent.CLEARED)
    move = _move(track, state, Severity(track.severity), verdict.because)
    _end(track, ts, came)
    return [move]


def stands_now(track: Track, verdict: Verdict, ts: float, late: bool) -> list[Move]:
    """What was judged on old readings is shown by one that is not: the same alert, as urgent as it was, no longer
    history. Once; nothing where nothing changes.
    """
    if late or not track.late or track.state != _ACTIVE or ts < track.newest:
        return []
    if not isinstance(verdict, Holds) or verdict.severity.value != track.severity:
        return []
    return [
        _move(
            track, ALERT.next(AlertState.ACTIVE, AlertEvent.CHANGED), verdict.severity, _worded(track, verdict.because)
        )
    ]


def calm_until(tracks: Iterable[Track], settles: Mapping[str, float]) -> int:
    """The second until which Clear moves none of the open alerts: each is clear already and has to stay so for a while.

    0 when there is none such. `settles` has the seconds of those rules for which quiet values are Clear and nothing
    else.
    """
    until = 2.0**32 - 1
    for track in tracks:
        if track.open:
            if track.rule not in settles or track.clear_since is None or track.lower_since is not None:
                return 0
            until = min(until, track.clear_since + _wait(track, settles[track.rule]))
    return max(0, int(until))


def _wait(track: Track, settle_s: float) -> float:
    return LONG_SETTLE_S if track.intermittent else settle_s if track.state == _ACTIVE else 0.0


def withdraw(track: Track, because: str, ts: float) -> Move | None:
    """The readings behind it were rejected by a person; None when nothing is open. Dated `track.newest`, no earlier
    than what it takes back.
    """
    if not track.open:
        return None
    came = track.state == _ACTIVE
    move = _move(track, ALERT.next(AlertState(track.state), AlertEvent.REJECTED), Severity(track.severity), because)
    _end(track, max(ts, track.newest), came)
    return move


def _begin(track: Track, verdict: Holds, ts: float, place: int) -> None:
    track.episode += 1
    track.step, track.since, track.first_place = -1, ts, place
    track.severity, track.samples, track.lower_since = verdict.severity.value, Samples(), None
    track.paused_s, track.unsure, track.seen, track.told = 0.0, False, 0, 0.0


def _end(track: Track, ts: float, came: bool) -> None:
    if came:
        _flip(track, ts)
    track.state, track.newest, track.clear_since, track.lower_since, track.samples = "", ts, None, None, Samples()
    track.intermittent = track.unsure = track.late = False


def _flip(track: Track, ts: float) -> None:
    track.flips = [t for t in track.flips if ts - t < FLIP_WINDOW_S] + [ts]


def _move(track: Track, state: AlertState, severity: Severity, because: str) -> Move:
    track.step += 1
    track.state, track.severity = state.value, severity.value
    return Move(track.step, state, severity, because)


def _worded(track: Track, because: str) -> str:
    return f"intermittent, {len(track.flips) // 2 + 1} times within a day: {because}" if track.intermittent else because


def wants_sample(track: Track, verdict: Verdict, ts: float) -> bool:
    """Whether a sample of now belongs into the chart: an alert that stands keeps one now and then."""
    if track.state == _ACTIVE and track.samples.packed and ts - track.samples.newest() < SAMPLE_APART_S:
        return False
    return isinstance(verdict, Holds)


def take_sample(track: Track, ts: float, value: float) -> bool:
    """Keep a sample for the chart; when there are too many, every second one goes. Says that it was kept."""
    track.samples.add(round(ts, 3), value)
    if len(track.samples) > KEPT_SAMPLES:
        track.samples.halve()
    return True


def muted(rule: Rule, tracks: Tracks, ts: float) -> bool:
    """Whether an alert that is open, or was until lately, explains this one away; one that is already active is not
    taken back. What a sensor says that is known to be wrong moves none at all.
    """
    if not (rule.doubted_by or rule.muted_by or rule.muted_by_codes):
        return False
    active = [t.rule for t in tracks.values() if t.state == _ACTIVE]
    if rule.doubted_by and not set(rule.doubted_by).isdisjoint(active):
        return True
    if rule.name in active or not (rule.muted_by or rule.muted_by_codes):
        return False
    return any(
        (t.rule in rule.muted_by or (t.rule == "trouble_code" and t.component.startswith(rule.muted_by_codes)))
        and (t.open or ts - t.newest < AFTERMATH_S)
        for t in tracks.values()
    )
