"""History under seal: each row has a place in the chain of its dealer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of history as it is sealed.

    `removed`: the keyed hash of words that were taken out of it, and `erasure_id` the row that says why.
    """

    id: int
    dealer_id: int
    noun: str
    subject_id: int
    old: str | None
    new: str
    reason: str
    actor: str
    at: datetime
    removed: bytes | None = None
    erasure_id: int | None = None


@dataclass(frozen=True, slots=True)
class Seal:
    """The place of one row in the chain of its dealer. `sealed_at` is machine time."""

    dealer_id: int
    position: int
    history_id: int
    hash: bytes
    sealed_at: datetime


@dataclass(frozen=True, slots=True)
class Head:
    """How far a chain has come; `proof` is keyed."""

    dealer_id: int
    position: int
    hash: bytes
    proof: bytes


@dataclass(frozen=True, slots=True)
class Fault:
    """What does not fit, in words. `what`: changed, removed, inserted, cut_off or unauthorised."""

    dealer_id: int
    what: str
    history_id: int | None
    position: int | None
    detail: str
