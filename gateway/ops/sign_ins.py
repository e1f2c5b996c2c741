"""Whether a car may sign in at the broker, and what too many tries cost whom. Pure but for what it counts.

A right secret is let in whatever strangers do from the same address: thousands of cars share one address of their
mobile carrier. What it may not do is come and go all the time. Wrong ones get no answer at all beyond a few: each then
waits until the broker gives up on it.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

from gateway.token_bucket import Allowance
from schemas.credentials import secret_hash
from schemas.vehicle import is_vin

SESSIONS: Final = 10  #: of one car at the broker: the VIN, and the VIN with -1 to -9 behind it
WRONG_BURST, WRONG_EVERY_S = 20, 3.0  #: wrong tries of one address, and for one car, that are answered
RIGHT_BURST, RIGHT_EVERY_S = 30, 1.0  #: sign-ins of one car
TAKE_OVERS, TAKE_OVER_EVERY_S = 12, 20.0  #: of one session: who signs in ends whoever held it
STRANGERS: Final = "unknown cars"  #: they are counted together: whoever makes up VINs must not make up rows


class Reason(StrEnum):
    """Why a sign-in is refused."""

    WRONG_SECRET = "wrong_secret"  #: unknown or revoked car, or wrong secret
    CLIENT_ID = "client_id"  #: neither the VIN nor the VIN with -1 to -9: one more session that the broker would keep
    TAKEN_OVER = "taken_over"  #: one of its sessions is opened again and again: whoever holds it keeps it for a while
    TOO_OFTEN = "too_often"  #: this car signs in again and again
    UNANSWERED = "unanswered"  #: too many wrong tries: no longer answered


_WORDS: Final = {
    Reason.WRONG_SECRET: "unknown car or wrong secret",
    Reason.CLIENT_ID: "the client id is neither the VIN nor the VIN with -1 to -9 behind it",
    Reason.TAKEN_OVER: "this session is opened again and again: by two units with one identity, or one that loses it",
    Reason.TOO_OFTEN: "too many sign-ins of this car",
    Reason.UNANSWERED: "too many wrong sign-ins",
}


@dataclass(slots=True)
class Times:
    """How often, and from where the last time."""

    times: int = 0
    place: str = ""


class SignIns:
    """`known` maps VIN to the sha256 of its secret; a car that is revoked or not enrolled is not in it."""

    def __init__(self, known: Mapping[str, bytes]) -> None:
        self._known = known
        self._wrong, self._right = Allowance(WRONG_BURST, WRONG_EVERY_S), Allowance(RIGHT_BURST, RIGHT_EVERY_S)
        self._held = Allowance(TAKE_OVERS, TAKE_OVER_EVERY_S)
        self._refused: dict[tuple[str, Reason], Times] = {}
        self.accepted = self.turned_away = 0

    def judge(self, vin: str, secret: str, client_id: str, place: str, now: float) -> Reason | None:
        """Why this try is refused, or None. `place` is the address it comes from, `now` machine time."""
        reason = self._reason(vin, secret, client_id=client_id, place=place, now=now)
        if reason is None:
            self.accepted += 1
            return None
        self.turned_away += 1
        counted = self._refused.setdefault((vin if vin in self._known else STRANGERS, reason), Times())
        counted.times, counted.place = counted.times + 1, place
        return reason

    def _reason(self, vin: str, secret: str, client_id: str, place: str, now: float) -> Reason | None:
        expected = self._known.get(vin) if is_vin(vin) else None
        if not hmac.compare_digest(secret_hash(secret), expected or bytes(32)) or expected is None:
            of_place = self._wrong.take(_neighbourhood(place), now)
            of_car = expected is None or self._wrong.take(vin, now)
            return Reason.WRONG_SECRET if of_place and of_car else Reason.UNANSWERED
        if not is_session_of(vin, client_id):
            return Reason.CLIENT_ID
        if not self._right.take(vin, now):
            return Reason.TOO_OFTEN
        return None if self._held.take(client_id, now) else Reason.TAKEN_OVER

    def refused(self) -> dict[tuple[str, Reason], Times]:
        """What was refused since the last time this was asked: by car (or `STRANGERS`) and reason."""
        counts, self._refused = self._refused, {}
        return counts


def is_session_of(vin: str, client_id: str) -> bool:
    """Whether a car may call its session so: each name is a session that the broker keeps."""
    return client_id == vin or (
        len(client_id) == len(vin) + 2 and client_id.startswith(f"{vin}-") and client_id[-1] in "123456789"
    )


def words(reason: Reason) -> str:
    """For the broker's log and the desk."""
    return _WORDS[reason]


def _neighbourhood(place: str) -> str:
    """An IPv6 customer has 2**64 addresses: they count as one."""
    try:
        address = ip_address(place)
    except ValueError:
        return place
    return str(ip_network((address, 64), strict=False)) if isinstance(address, IPv6Address) else place
