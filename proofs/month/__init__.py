"""A dealer's month in which everybody does what people do, at random: owners, staff, drivers, cars, lists and the
clock.

The states of each noun are tables and right by themselves; what lies *between* two tables breaks (owner × offer, cancel
× drive, person × case, clock × text). So all of them are played against each other on a real database with the real
actions and workers, on a clock of its own, and after every step each sentence of `proofs.month.truths` must hold.
"""

from __future__ import annotations

from proofs.month.proof import main
from proofs.month.sabotage import SWITCHES

__all__ = ["SWITCHES", "main"]
