"""What a handover record must have, what its hash is made over, and where a drive does not go on without one. Pure."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Sequence
from typing import Any

from schemas.errors import BadInput
from schemas.handover import LEAST_PHOTOS, Filled, Handover, HandoverKind, Photo, Records, View
from schemas.pickup import LegEvent, LegKind

#: The four sides of a car: each must be seen.
SIDES = (View.FRONT, View.REAR, View.LEFT, View.RIGHT)
#: Which record belongs to which way of a drive.
OF_LEG = {LegKind.COLLECT: HandoverKind.COLLECT, LegKind.RETURN: HandoverKind.RETURN}
CODE_DIGITS = 6


def wanted(records: Records, event: LegEvent) -> HandoverKind | None:
    """The record without which this step of a drive is not made; None: it is made without one."""
    if event is LegEvent.HANDED_OVER and records is not Records.NOBODY:
        return HandoverKind.RETURN
    return HandoverKind.COLLECT if event is LegEvent.COLLECTED and records is Records.BOTH else None


def complete(filled: Filled, views: Iterable[View], code: str) -> str:
    """How it was signed, `signature` or `code`; BadInput names what is missing. `views`: of the photos that have come,
    `code`: the owner's.
    """
    seen = list(views)
    lacking = [side.value for side in SIDES if side not in seen]
    if lacking or len(seen) < LEAST_PHOTOS:
        raise BadInput(
            "photos", f"{', '.join(lacking) or 'some'} still missing: at least {LEAST_PHOTOS}, one of each side"
        )
    if filled.code:
        given = "".join(filled.code.split())
        if not (given.isascii() and hmac.compare_digest(given, code)):
            raise BadInput("code", "is not the one on the owner's page")
        return "code"
    if sum(len(stroke) for stroke in filled.signature) < 8:
        raise BadInput("signature", "is missing: a signature, or the code on the owner's page")
    return "signature"


def code_of(digest: str) -> str:
    """Six digits out of a keyed hex digest: what the owner's page shows for one drive."""
    return f"{int(digest[:15], 16) % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def person(salt: bytes, name: str, note: str, signature: Sequence[Sequence[int]], notes: Sequence[str]) -> bytes:
    """A digest of what is a person's in a record. The salt goes with them: then nobody can guess back from it."""
    return hashlib.sha256(salt + _canonical([name, note, [list(stroke) for stroke in signature], list(notes)])).digest()


def digest(about: dict[str, Any], person_digest: bytes) -> bytes:
    """The record's hash, over all that it says, its photos by their own hashes and its person by their digest."""
    return hashlib.sha256(_canonical({**about, "person": person_digest.hex()})).digest()


def about(record: Handover) -> dict[str, Any]:
    """What the hash is made over, beside the person's part."""
    told = record.model_dump(mode="json", include=set(_HASHED))
    return {**told, "marks": [[mark.x, mark.y, mark.harm.value] for mark in record.marks]}


def seal(record: Handover) -> Handover:
    """The same record with its digests; `salt` must be set."""
    if record.salt is None:
        raise ValueError("a record without a salt is one of somebody who was erased: it is never sealed anew")
    whose = person(
        record.salt,
        record.name,
        note=record.note,
        signature=record.signature,
        notes=[mark.note for mark in record.marks],
    )
    return record.model_copy(update={"person": whose, "hash": digest(about(record), whose)})


def stands(record: Handover, photos: Sequence[Photo]) -> str | None:
    """What does not fit in a record as it is read back, or None. Of an erased person only the digest is left, and fits
    still.
    """
    if digest(about(record), record.person) != record.hash:
        return "the record does not fit its hash"
    if record.salt is not None:
        whose = person(
            record.salt,
            record.name,
            note=record.note,
            signature=record.signature,
            notes=[mark.note for mark in record.marks],
        )
        if whose != record.person:
            return "name, words or signature do not fit the record"
    if sorted(photo.sha256 for photo in photos) != sorted(record.photos):
        return "its photos are not those that it was written with"
    return None


def sentence(record: Handover) -> str:
    """One line for history, which is sealed itself."""
    short = record.hash.hex()[:16]
    return (
        f"{record.odometer_km} km, {record.energy_percent} % {record.energy.value}, {record.keys} keys, "
        f"{len(record.marks)} marks, {len(record.photos)} photos, by {record.proof}, sha256 {short}"
    )


_HASHED = frozenset(
    {
        "dealer_id",
        "booking_id",
        "leg_id",
        "loaner_id",
        "kind",
        "key",
        "odometer_km",
        "energy",
        "energy_percent",
        "keys",
        "photos",
        "proof",
        "made_at",
        "recorded_at",
        "actor",
    }
)


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()
