"""Consent, append-only: the newest row of a purpose counts, no row means no. STOP is a row too."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from schemas.consent import Consent
from schemas.message import Purpose
from store.pool import Connection, as_dict

OWNERS_PURPOSES = (Purpose.SAFETY, Purpose.SERVICE, Purpose.STATUS, Purpose.SURVEY)

_RECORD = (
    "INSERT INTO consents (dealer_id, owner_id, purpose, given, at, source, wording) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7)"
)
_NEWEST = """
SELECT DISTINCT ON (purpose) owner_id, purpose, given, at, source, wording FROM consents
WHERE dealer_id = $1 AND owner_id = $2 ORDER BY purpose, id DESC
"""
_ALL = (
    "SELECT owner_id, purpose, given, at, source, wording FROM consents WHERE dealer_id = $1 AND owner_id = $2 "
    "ORDER BY id"
)
_BEFORE_STOP = """
SELECT DISTINCT ON (purpose) purpose FROM consents WHERE dealer_id = $1 AND owner_id = $2 AND source <> ALL($3::text[])
  AND given
  AND NOT EXISTS (SELECT 1 FROM consents n WHERE n.dealer_id = $1 AND n.owner_id = $2 AND n.purpose = consents.purpose
                  AND NOT n.given AND n.source <> ALL($3::text[]) AND n.id > consents.id)
"""
_STOPPED = "UPDATE owners SET stopped_at = $3 WHERE dealer_id = $1 AND id = $2 AND stopped_at IS NULL"
_STARTED = "UPDATE owners SET stopped_at = NULL WHERE dealer_id = $1 AND id = $2 AND stopped_at IS NOT NULL"
_CLAIM = "SELECT 1 FROM owners WHERE dealer_id = $1 AND id = $2 FOR NO KEY UPDATE"
_HOLD = "SELECT 1 FROM owners WHERE dealer_id = $1 AND id = $2 FOR SHARE"
STOP_BY_TEXT = "STOP by text"
STOP_ON_PAGE = "STOP on the owner's page"
STOP_BY_LINK = "STOP by the link of a mail"
STOP_FROM_THE_ADDRESS = "STOP from this number before"
_STOPS = (STOP_BY_TEXT, STOP_ON_PAGE, STOP_BY_LINK, STOP_FROM_THE_ADDRESS)


async def record(
    connection: Connection,
    dealer_id: int,
    owner_id: int,
    purpose: Purpose,
    given: bool,
    *,
    now: datetime,
    source: str,
    wording: str,
) -> None:
    """One yes or no, with the words that were shown and where they stood.

    A no waits for a text that is leaving at this moment.
    """
    if not given:
        await claim(connection, dealer_id, owner_id)
    await connection.execute(_RECORD, dealer_id, owner_id, purpose.value, given, now, source, wording)


async def of_owner(connection: Connection, dealer_id: int, owner_id: int) -> dict[Purpose, Consent]:
    """What counts now; a purpose that is not here was never asked and means no."""
    rows = await connection.fetch(_NEWEST, dealer_id, owner_id)
    return {Purpose(row["purpose"]): Consent(**as_dict(row)) for row in rows}


async def trail(connection: Connection, dealer_id: int, owner_id: int) -> list[Consent]:
    """Every yes and no, oldest first."""
    return [Consent(**as_dict(row)) for row in await connection.fetch(_ALL, dealer_id, owner_id)]


async def stop(
    connection: Connection, dealer_id: int, owner_id: int, *, now: datetime, wording: str, source: str = STOP_BY_TEXT
) -> bool:
    """The owner ends all texts. False when they had done so before."""
    if await connection.execute(_STOPPED, dealer_id, owner_id, now) != "UPDATE 1":
        return False
    for purpose in OWNERS_PURPOSES:
        await record(
            connection,
            dealer_id,
            owner_id=owner_id,
            purpose=purpose,
            given=False,
            now=now,
            source=source,
            wording=wording,
        )
    return True


async def start(
    connection: Connection, dealer_id: int, owner_id: int, *, now: datetime, wording: str, source: str = "START by text"
) -> bool:
    """The owner takes STOP back: exactly what they had agreed to before it is theirs again, nothing more."""
    if await connection.execute(_STARTED, dealer_id, owner_id) != "UPDATE 1":
        return False
    for row in await connection.fetch(_BEFORE_STOP, dealer_id, owner_id, list(_STOPS)):
        await record(
            connection,
            dealer_id,
            owner_id=owner_id,
            purpose=Purpose(row["purpose"]),
            given=True,
            now=now,
            source=source,
            wording=wording,
        )
    return True


async def hold(connection: Connection, dealer_id: int, owner_id: int) -> None:
    """From here to the end of this transaction no STOP of this owner is committed: a text that goes out meanwhile went
    before it.
    """
    await connection.execute(_HOLD, dealer_id, owner_id)


async def claim(connection: Connection, dealer_id: int, owner_id: int) -> None:
    """Take the owner's row before anything else of theirs: senders lock it first and the thread second, and so does a
    STOP.
    """
    await connection.execute(_CLAIM, dealer_id, owner_id)


async def give(
    connection: Connection,
    dealer_id: int,
    owner_id: int,
    answers: Mapping[Purpose, bool],
    *,
    now: datetime,
    source: str,
    wording: str,
) -> None:
    """Several purposes at once, as a form or an import has them."""
    for purpose, given in answers.items():
        await record(
            connection,
            dealer_id,
            owner_id=owner_id,
            purpose=purpose,
            given=given,
            now=now,
            source=source,
            wording=wording,
        )
