"""What a text asserts, read again at the moment it goes out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from store.pool import Connection
from store.undrivable import FORBIDS

_TABLES = {
    "offer": "offers",
    "booking": "bookings",
    "leg": "legs",
    "case": "cases",
    "alert": "alerts",
    "promise": "promises",
}
_STATE = {noun: f"SELECT state FROM {table} WHERE dealer_id = $1 AND id = $2" for noun, table in _TABLES.items()}
#: Not states of a row but what a warning rests on: how urgent an alert is, and whether any of a car's alerts forbids to
#: drive on.
_STATE["urgency"] = (
    "SELECT CASE state WHEN 'active' THEN severity ELSE state END FROM alerts WHERE dealer_id = $1 AND id = $2"
)
_STATE["danger"] = f"""
SELECT CASE WHEN EXISTS (SELECT 1 FROM alerts a WHERE a.dealer_id = $1 AND a.vehicle_id = v.id AND {FORBIDS})
    THEN 'standing' ELSE 'over' END FROM vehicles v WHERE v.dealer_id = $1 AND v.id = $2
"""
_STATE["ownership"] = (
    "SELECT CASE WHEN v.owner_id = o.owner_id THEN 'theirs' ELSE 'ended' END FROM ownerships o "
    "JOIN vehicles v ON v.dealer_id = o.dealer_id AND v.id = o.vehicle_id WHERE o.dealer_id = $1 AND o.id = $2"
)
_STATE["extra_work"] = """
SELECT CASE WHEN b.state IN ('arrived', 'working') AND EXISTS (SELECT 1 FROM estimate_lines e WHERE e.dealer_id = $1
    AND e.booking_id = b.id AND e.answer IS NULL AND e.withdrawn_at IS NULL) THEN 'open' ELSE 'answered' END
  FROM bookings b WHERE b.dealer_id = $1 AND b.id = $2
"""
_HELD_UNTIL = "SELECT expires_at FROM offers WHERE dealer_id = $1 AND id = $2"
_BEGINS_AT = {
    noun: f"SELECT starts_at FROM {_TABLES[noun]} WHERE dealer_id = $1 AND id = $2" for noun in ("booking", "leg")
}
_ADDRESSES = "SELECT phone, email FROM owners WHERE dealer_id = $1 AND id = $2"
_KEEPER = (
    "SELECT v.owner_id FROM cases c JOIN vehicles v ON v.dealer_id = c.dealer_id AND v.id = c.vehicle_id "
    "WHERE c.dealer_id = $1 AND c.id = $2"
)


async def misdirected(
    connection: Connection, dealer_id: int, owner_id: int, address: str, case_id: int | None
) -> str | None:
    """Why a text would reach the wrong person: the number is no longer the owner's, or the car is no longer theirs."""
    row = await connection.fetchrow(_ADDRESSES, dealer_id, owner_id)
    if row is None:
        return "there is no such owner any more"
    if address.lower() not in ((row["phone"] or "").lower(), (row["email"] or "").lower()):
        return "the owner has another number or mailbox now"
    if case_id is not None and await connection.fetchval(_KEEPER, dealer_id, case_id) != owner_id:
        return "the car has changed hands"
    return None


async def untrue(
    connection: Connection, dealer_id: int, asserts: Sequence[Mapping[str, Any]], now: datetime
) -> str | None:
    """The first assertion that does not hold any more, in words; None when all of them do. What cannot be checked does
    not hold.
    """
    for assertion in asserts:
        noun, subject_id, wanted = (
            str(assertion.get("noun")),
            assertion.get("id"),
            [str(state) for state in assertion.get("state", ())],
        )
        if noun not in _STATE:
            return f"nobody can check what it says about {noun}"
        state = await connection.fetchval(_STATE[noun], dealer_id, subject_id)
        if state is None:
            return f"there is no {noun} {subject_id} any more"
        if wanted and state not in wanted:
            return f"the {noun} is {state} now"
        if (at := assertion.get("at")) is not None and await connection.fetchval(
            _BEGINS_AT[noun], dealer_id, subject_id
        ) != datetime.fromisoformat(at):
            return f"the {noun} has another time now"
        if noun == "offer" and state == "open" and await connection.fetchval(_HELD_UNTIL, dealer_id, subject_id) <= now:
            return "the offered windows are held no longer"
        if (
            noun == "booking"
            and wanted == ["agreed"]
            and await connection.fetchval(_BEGINS_AT["booking"], dealer_id, subject_id) <= now
        ):
            return "the visit lies ahead no longer"  # what speaks of it as agreed speaks of the future
    return None
