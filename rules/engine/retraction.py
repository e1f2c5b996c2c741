"""A person takes back a reading that was let in: what the memory and the open alerts of the car are without it.

A memory is a fold, and a fold forgets nothing on request. So the car's rows are folded once more, without the one that
was taken back, and its alerts are held against what comes out: one that would not be open has rested on it and is
withdrawn. Episodes keep their committed numbers, so that no number is given twice.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Protocol

from rules.engine.memory import Memory, Track, tracks_of
from rules.engine.plausibility import ODOMETER, Odometer
from schemas.alert import AlertState, AlertStep
from schemas.moment import from_epoch
from schemas.reading import Mark, Reading

_ACTIVE = AlertState.ACTIVE.value


class Judge(Protocol):
    """What is needed of rules.engine.judge.Judge."""

    def memory(self, profile_name: str) -> Any: ...
    def step(self, memory: Any, reading: Reading) -> tuple[AlertStep, ...]: ...
    def program(self, profile_name: str) -> Any: ...
    def open_alerts(self, memory: Any) -> tuple[Track, ...]: ...
    def withdraw(
        self, memory: Any, rule: str, component: str, *, ts: float, place: int, because: str
    ) -> AlertStep | None: ...


class Again:
    """One car's rows once more, in the order of their places, without those that were taken back (by their numbers in
    quarantine).

    What was believed only because of such a row is not believed now: odometers are checked anew.
    """

    def __init__(self, judge: Judge, profile: str, gone: Collection[int]) -> None:
        self.judge, self.profile, self.gone = judge, profile, frozenset(gone)
        self.memory: Memory = judge.memory(profile)
        self.odometer = Odometer()
        self.place = 0  #: up to here

    def take(self, row: Reading) -> None:
        """The next row."""
        self.place = row.place or self.place
        if row.mark and (row.mark & Mark.TAKES_BACK or (row.mark & Mark.ACCEPTED and row.seq in self.gone)):
            if ODOMETER in row.ids:
                self.odometer.stand()
            return
        self.judge.step(self.memory, self.odometer.see(row))


def without(before: Memory, again: Again, at: Reading) -> tuple[Memory, tuple[AlertStep, ...]]:
    """The car's memory from the row `at` on, which takes something back, and the steps that withdraw what rested on
    it.
    """
    judge, program = again.judge, again.judge.program(again.profile)
    before, memory = bytearray(before), bytearray(again.memory)
    would = tracks_of(memory, program.body_end)
    steps = []
    for track in judge.open_alerts(before):
        if not _stands(track, would.get((track.rule, track.component))):
            step = judge.withdraw(
                before, track.rule, track.component, ts=at.ts, place=at.place or 0, because=_because(at)
            )
            steps += [step] if step is not None else []
    kept = {key: _kept(track, would.get(key)) for key, track in tracks_of(before, program.body_end).items()}
    program.keep(memory, kept)
    return memory, tuple(steps)


def _stands(track: Track, would: Track | None) -> bool:
    """Whether the alert would be as far without it; one that would only be pending was told too early."""
    return would is not None and would.open and (would.state == _ACTIVE or track.state != _ACTIVE)


def _kept(track: Track, would: Track | None) -> Track:
    """The alert as committed if it stands; else idle with its number, and as if it had not come and gone for that
    reason.
    """
    if track.open:
        if would is not None and track.state != _ACTIVE:
            track.since, track.paused_s = (
                max(track.since, would.since),
                max(track.paused_s, would.paused_s),
            )  # held no longer than it would have been
        return track
    flips = [] if would is None else [t for t in would.flips if not would.open or t < would.since]
    ended = would.newest if would is not None and not would.open else (flips[-1:] or [float("-inf")])[0]
    return Track(track.rule, track.component, episode=track.episode, flips=flips, newest=ended)


def _because(at: Reading) -> str:
    return (
        f"it rested on a message that a person had let in and has taken back on {from_epoch(at.ts):%Y-%m-%d at %H:%M} "
        "UTC"
    )
