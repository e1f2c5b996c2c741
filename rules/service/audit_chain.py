"""The chain of history. Pure: who has the key seals rows with it, and finds what was done to them since.

Each place holds HMAC(key, hash before + place + row + when it was sealed). A row's reason goes in as a hash of its own,
so that words about a person who is erased can be taken out without breaking the chain: their hash stays, and the sealed
row of the erasure says which rows lost their words.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections import defaultdict, deque
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Final

from schemas.audit import Entry, Fault, Head, Seal

START: Final = b"\0" * 32  #: before the first place
TAKEN_OUT: Final = "(words removed)"  #: what stands where words about an erased person stood
LONGEST: Final = timedelta(
    hours=1
)  #: no transaction lives longer: what turns up later than that beside sealed rows was put there
_SLACK: Final = timedelta(minutes=10)  #: clocks of two machines
_NEVER: Final = datetime.min.replace(tzinfo=UTC)


def words_of(key: bytes, history_id: int, reason: str) -> bytes:
    """What stands for a row's words in the chain."""
    return _mac(key, "words", history_id, reason)


def link(key: bytes, before: bytes, position: int, entry: Entry, sealed_at: datetime) -> bytes:
    """The hash of this place."""
    words = entry.removed if entry.removed is not None else words_of(key, entry.id, entry.reason)
    return _mac(
        key,
        "row",
        before.hex(),
        position,
        _instant(sealed_at),
        entry.id,
        entry.dealer_id,
        entry.noun,
        entry.subject_id,
        entry.old,
        entry.new,
        words.hex(),
        entry.actor,
        _instant(entry.at),
    )


def head(key: bytes, dealer_id: int, position: int, hash_: bytes) -> Head:
    """The proof that the chain has come so far."""
    return Head(dealer_id, position, hash_, _mac(key, "head", dealer_id, position, hash_.hex()))


def start(key: bytes, dealer_id: int, position: int, hash_: bytes) -> Head:
    """The proof that everything up to this place has gone because it was past its limit."""
    return Head(dealer_id, position, hash_, _mac(key, "start", dealer_id, position, hash_.hex()))


def removal(key: bytes, history_ids: Iterable[int]) -> str:
    """How the row of an erasure names the rows that lost their words."""
    ids = sorted(history_ids)
    return f"words taken out of {len(ids)} rows of history [{_mac(key, 'removal', *ids).hex()[:32]}]"


class Chain:
    """Walks one dealer's chain from its first place and says what does not fit."""

    def __init__(self, key: bytes, dealer_id: int) -> None:
        self._key, self.dealer_id = key, dealer_id
        self.position, self.hash = 0, START
        self.known: dict[int, bytes] = {}  #: places of which an earlier look knew the hash; fill before walking
        self._expected = 1
        self._recent: deque[Seal] = deque()  # sealed less than LONGEST before the row in hand
        self._recent_at: deque[datetime] = deque()
        self._newest_id, self._newest_at = 0, _NEVER  # of what was sealed longer ago
        self._removed: dict[int, list[int]] = defaultdict(list)  # erasure's row -> rows
        self._erasures: dict[int, str] = {}  # erasure's row -> what it says
        self._replaced: list[int] = []

    def begin(self, stands: Head, gone: Iterable[tuple[int, int]]) -> list[Fault]:
        """The chain begins after this place; before `walk`.

        `gone`: (row, erasure) of rows that lost their words before they went.
        """
        for row, erasure in gone:
            self._removed[erasure].append(row)
        self.position, self.hash, self._expected = stands.position, stands.hash, stands.position + 1
        if start(self._key, self.dealer_id, stands.position, stands.hash) != stands:
            return [self._fault("cut_off", None, stands.position, "what came before was taken away, and not by us")]
        if self.known.get(stands.position, stands.hash) != stands.hash:
            return [
                self._fault("changed", None, stands.position, "an earlier look saw another hash where the chain begins")
            ]
        return []

    def walk(self, seal: Seal, entry: Entry | None) -> list[Fault]:
        """The next place and its row, if that is still there."""
        found: list[Fault] = []
        if seal.position != self._expected:
            found.append(
                self._fault(
                    "removed", None, self._expected, f"place {self._expected} is missing: the next is {seal.position}"
                )
            )
        if seal.position in self.known and self.known[seal.position] != seal.hash:
            found.append(
                self._fault(
                    "changed",
                    seal.history_id,
                    seal.position,
                    "an earlier look saw another hash here: the chain was written anew",
                )
            )
        if entry is None:
            found.append(self._fault("removed", seal.history_id, seal.position, "the row is gone"))
        else:
            if (
                entry.dealer_id != self.dealer_id
                or link(self._key, self.hash, position=seal.position, entry=entry, sealed_at=seal.sealed_at)
                != seal.hash
            ):
                found.append(
                    self._fault(
                        "changed",
                        entry.id,
                        seal.position,
                        "the row, its seal or the place before it says something else than when it was sealed",
                    )
                )
            found += self._late(seal, entry)
            self.note(entry)
        self.position, self.hash = seal.position, seal.hash  # go on from what stands here: one fault is told once
        self._expected = seal.position + 1
        return found

    def note(self, entry: Entry) -> None:
        """Also for rows that are not sealed yet: which words were taken out, and what says so."""
        if entry.removed is not None and entry.erasure_id is not None:
            self._removed[entry.erasure_id].append(entry.id)
            if entry.reason != TAKEN_OUT:
                self._replaced.append(entry.id)
        if entry.noun == "owner" and entry.new == "erased":
            self._erasures[entry.id] = entry.reason

    def end(self, stands: Head | None) -> list[Fault]:
        """After the last place."""
        found: list[Fault] = []
        if stands is None:
            if self.position:
                found.append(
                    self._fault("cut_off", None, self.position, "there is no head that says how far the chain had come")
                )
        elif head(self._key, self.dealer_id, self.position, self.hash) != stands:
            found.append(
                self._fault(
                    "cut_off",
                    None,
                    self.position,
                    f"the chain ends at place {self.position}, its head speaks of {stands.position}",
                )
            )
        found += [
            self._fault("cut_off", None, place, f"an earlier look saw {place} places")
            for place in self.known
            if place > self.position
        ]
        for erasure, rows in self._removed.items():
            if removal(self._key, rows) not in self._erasures.get(erasure, ""):
                found += [
                    self._fault("unauthorised", row, None, "its words were taken out, and no erasure says so")
                    for row in sorted(rows)
                ]
        found += [
            self._fault("changed", row, None, "new words stand where words had been taken out")
            for row in self._replaced
        ]
        return found

    def _late(self, seal: Seal, entry: Entry) -> list[Fault]:
        """A row that says it is older than what had long been sealed when it came."""
        while self._recent and self._recent[0].sealed_at <= seal.sealed_at - LONGEST:
            past = self._recent.popleft()
            self._newest_id, self._newest_at = (
                max(self._newest_id, past.history_id),
                max(self._newest_at, self._recent_at.popleft()),
            )
        self._recent.append(seal)
        self._recent_at.append(entry.at)
        if entry.id < self._newest_id or entry.at + _SLACK < self._newest_at:
            return [
                self._fault(
                    "inserted", entry.id, seal.position, "it turned up after later rows had been sealed for an hour"
                )
            ]
        return []

    def _fault(self, what: str, history_id: int | None, position: int | None, detail: str) -> Fault:
        return Fault(self.dealer_id, what, history_id=history_id, position=position, detail=detail)


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _mac(key: bytes, *parts: object) -> bytes:
    return hmac.new(
        key,
        json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"),
        hashlib.sha256,
    ).digest()
