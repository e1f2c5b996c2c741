"""Switches that take a guard out: each must turn the month red."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from actions import (
    absences,
    bookings,
    calling_off,
    free_time,
    labour,
    leaving,
    legs,
    ownership,
    pausing,
    stopping,
    unreached,
)
from proofs.swap import swap
from store import positions, slots
from workers import lateness, safety, sending

SWITCHES = (
    "no-truth-check",
    "no-release",
    "silent-lateness",
    "stranger-sale",
    "drive-it-anyway",
    "unwarned",
    "away-and-driving",
    "no-record",
    "sold-in-words",
    "wrong-forgotten",
    "part-in-silence",
    "no-limits",
    "technician-away",
    "mail-in-silence",
    "finish-anyway",
    "nobody-comes",
    "place-anytime",
)


@contextmanager
def switched(switch: str | None) -> Iterator[None]:
    """The guard is out inside, and back afterwards."""
    match switch:
        case "no-truth-check":
            with _out(sending, "settled", _never):
                yield
        case "no-release":
            with _out(slots, "release_booking", _nothing):
                yield
        case "silent-lateness":
            with _out(lateness, "promises_once", _nothing):
                yield
        case "stranger-sale":
            with _out(ownership, "_settled", _same):
                yield
        case "drive-it-anyway":
            with _out(legs, "stays", _nothing):
                yield
        case "away-and-driving":
            with _out(absences, "hand_on", _nothing):
                yield
        case "unwarned":
            with _out(safety, "stepped", _nothing):
                yield
        case "no-limits":
            with _out(free_time, "day_limits", _none):
                yield
        case "technician-away":
            with _out(labour, "hand_on", _nothing):
                yield
        case "part-in-silence":
            with _out(pausing, "work_follows", _nothing):
                yield
        case "mail-in-silence":
            with _out(unreached, "follow", _nothing):
                yield
        case "finish-anyway":
            with _out(bookings, "holds_up", _nothing_holds):
                yield
        case "nobody-comes":
            with _out(labour, "_drives_too", _nothing):
                yield
        case "place-anytime":
            with _out(positions, "_PUT", positions._PUT.replace("state IN ('on_the_way', 'on_the_way_back')", "true")):
                yield
        case "no-record":
            with _out(legs, "recorded", _nothing), _out(calling_off, "recorded", _nothing):
                yield
        case "sold-in-words":
            with _out(leaving, "give", _nothing):
                yield
        case "wrong-forgotten":
            with _out(stopping, "refuse_wrong", _nothing):
                yield
        case _:
            yield


@contextmanager
def _out(owner: Any, name: str, instead: Any) -> Iterator[None]:
    kept = getattr(owner, name)
    swap(owner, name, instead)
    try:
        yield
    finally:
        swap(owner, name, kept)


async def _never(*_: Any, **__: Any) -> bool:
    return False


async def _same(acting: Any, connection: Any, case: Any, **_: Any) -> Any:
    return case


def _none(*_: Any, **__: Any) -> dict[str, Any]:
    return {}


async def _nothing(*_: Any, **__: Any) -> None: ...


def _nothing_holds(*_: Any, **__: Any) -> None: ...
