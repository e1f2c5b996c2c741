"""What a program's key may do: a thing and what is done with it, as in `cases:read`. Writing includes reading.

Which acts a scope opens stands in the desk's permissions; people and keys are no program's business and have no scope
there.
"""

from __future__ import annotations

from collections.abc import Iterable

from schemas.errors import BadInput

#: In words for whoever makes a key.
MEANS = {
    "bookings:read": "offers, visits and drives",
    "bookings:write": "make offers, book, cancel, move visits and drives",
    "cases:read": "cases and alerts",
    "cases:write": "open, take, hand on and close cases",
    "dealer:read": "hours, limits, bays and loaners",
    "dealer:write": "change them",
    "events:read": "hear what changes: which thing, by its number",
    "messages:read": "conversations with owners",
    "messages:write": "send texts to owners",
    "owners:read": "owners with phone, address and consent",
    "owners:write": "add and change owners, import lists",
    "positions:read": "where a car is or was",
    "staff:read": "the dealer's people",
    "vehicles:enrol": "give a car its credentials, and end them",
    "vehicles:read": "cars and what they say; refused messages",
    "vehicles:write": "add and change cars, decide refused messages",
}
SCOPES = tuple(MEANS)  #: what a key can be made for
READING: tuple[str, ...] = tuple(scope for scope in SCOPES if scope.endswith(":read"))
#: What a key may do that was made before keys had scopes: all that keys could do then, except for people. What comes
#: later is not added.
BEFORE_SCOPES: tuple[str, ...] = (
    "bookings:write",
    "cases:write",
    "dealer:write",
    "messages:write",
    "owners:write",
    "positions:read",
    "staff:read",
    "vehicles:enrol",
    "vehicles:write",
)
_SHORT = {"all": SCOPES, "read": READING}


def chosen(names: Iterable[str]) -> tuple[str, ...]:
    """The scopes that were asked for, in the order of the list; `all` and `read` stand for many. BadInput names what
    does not exist.
    """
    wanted: set[str] = set()
    for name in names:
        if name not in SCOPES and name not in _SHORT:
            raise BadInput(
                "scopes",
                f"{name} is no scope: there are {', '.join(SCOPES)}; `read` is all reading, `all` is everything",
            )
        wanted |= set(_SHORT.get(name, (name,)))
    if not wanted:
        raise BadInput("scopes", "choose at least one thing that the key may do")
    return tuple(scope for scope in SCOPES if scope in wanted)


def granted(given: Iterable[str] | None) -> frozenset[str]:
    """What a key's scopes amount to, with what they include; None: a key from before there were scopes."""
    found = set(BEFORE_SCOPES if given is None else given)
    return frozenset(found | {scope.replace(":write", ":read") for scope in found})
