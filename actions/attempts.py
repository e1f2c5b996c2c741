"""How often somebody may try, and from where: limits that stop guessing and that no stranger can turn against a person.

A try counts per account and place. What comes from everywhere at once meets a slow limit on the account as well; but a
browser or a place from which this person has signed in before never meets that one, so that nobody is locked out by
others' guesses.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta

from actions.context import House
from actions.visitor import Visitor, neighbourhood
from schemas.errors import TooOften
from store import attempts
from store.attempts import Limit

QUARTER, HOUR, DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)


def sign_in(house: House, visitor: Visitor, email: str, *, device: bool, place: bool) -> list[Limit]:
    """Five wrong passwords for an account from one browser or place, sixty from one place, thirty an hour from all
    strange places.
    """
    if device:
        return [_limit(house, 5, QUARTER, "device", email, visitor.device)]
    found = [
        _limit(house, 5, QUARTER, "sign-in", email, _at(visitor)),
        _limit(house, 60, QUARTER, "place", _at(visitor)),
    ]
    return found if place else [*found, _limit(house, 30, HOUR, "account", email)]


def second_factor(house: House, staff_id: int, visitor: Visitor) -> list[Limit]:
    """Only who knows the password comes this far: a limit on the person is enough."""
    return [_limit(house, 5, QUARTER, "code", str(staff_id)), _limit(house, 60, QUARTER, "place", _at(visitor))]


def reset(house: House, visitor: Visitor, email: str) -> list[Limit]:
    """Letters that anybody can ask for: three an hour for an address, ten an hour from a place."""
    return [_limit(house, 3, HOUR, "reset", email), _limit(house, 10, HOUR, "resets", _at(visitor))]


def token(house: House, visitor: Visitor) -> list[Limit]:
    """Tries at links that let somebody in: nobody guesses 32 bytes, but nobody should be busy with it either."""
    return [_limit(house, 30, QUARTER, "token", _at(visitor))]


def handover(house: House, booking_id: int, kind: str) -> list[Limit]:
    """Tries at the six digits on an owner's page: five in a quarter of an hour; after that they sign."""
    return [_limit(house, 5, QUARTER, "handover", str(booking_id), kind)]


async def take(house: House, limits: list[Limit]) -> None:
    """Count one try before it is looked at; TooOften when these limits are used up."""
    async with (
        house.counting,
        house.alone().at(None) as connection,
    ):  # one at a time here: guesses never use up the pool
        wait = await attempts.count(connection, limits, house.machine())
    if wait is not None:
        raise TooOften(max(1, -(-int(wait.total_seconds()) // 60)))


async def give_back(house: House, limits: list[Limit]) -> None:
    """It was no guess: this try does not count."""
    async with house.at(None) as connection:
        await attempts.give_back(connection, limits)


def place_digest(house: House, visitor: Visitor) -> bytes:
    """A place as it is remembered: recognised again, and nothing that could be read."""
    return _key(house, "known place", _at(visitor))


def _at(visitor: Visitor) -> str:
    return neighbourhood(visitor.place)


def _limit(house: House, most: int, within: timedelta, *what: str) -> Limit:
    return Limit(_key(house, *what), most, within)


def _key(house: House, *what: str) -> bytes:
    return hmac.new(
        house.secret.encode(), "\n".join(("attempts", *what)).encode("utf-8", "replace"), hashlib.sha256
    ).digest()
