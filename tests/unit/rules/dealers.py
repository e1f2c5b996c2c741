"""Small makers: a dealer in Hamburg, with drivers, bays and loaner cars."""

from __future__ import annotations

from schemas.account import Dealer
from schemas.slot import Resource, ResourceKind

HOURS = "Mo-Fr 08:00-18:00; Sa 09:00-13:00; PH off"


def dealer(**changes):
    facts = {
        "id": 1,
        "name": "Nord",
        "zone": "Europe/Berlin",
        "country": "DE",
        "phone": "1",
        "address": "a",
        "opening_hours": HOURS,
        "language": "de",
        "acknowledge_minutes_now": 15,
        "acknowledge_minutes_soon": 60,
        "waiting_word_minutes": 30,
        "offer_hold_minutes": 240,
        **changes,
    }
    return Dealer(**facts)


def resources(drivers=1, bays=1, loaners=0, trucks=0, vans=0, technicians=()):
    kinds = (
        [ResourceKind.DRIVER] * drivers
        + [ResourceKind.BAY] * bays
        + [ResourceKind.LOANER] * loaners
        + [ResourceKind.TOW_TRUCK] * trucks
        + [ResourceKind.VAN] * vans
    )
    people = [
        Resource(id=100 + n, dealer_id=1, kind=ResourceKind.TECHNICIAN, name=f"T {n}", staff_id=100 + n, skills=skills)
        for n, skills in enumerate(technicians)
    ]
    return people + [
        Resource(id=n, dealer_id=1, kind=kind, name=f"{kind} {n}", staff_id=n if kind is ResourceKind.DRIVER else None)
        for n, kind in enumerate(kinds, 1)
    ]
