"""How a person is reached: the one rule for owners, and the one for our own people. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from rules.service.numbers import textable
from schemas.account import Staff
from schemas.consent import Owner
from schemas.message import OwnerRecipient, StaffRecipient


def owner(person: Owner) -> OwnerRecipient | None:
    """On the channel that they chose; None when we have no address there."""
    address = _at(person, person.channel)
    return OwnerRecipient(person.id, person.channel, address, person.language) if address else None


def why_not(person: Owner) -> str:
    """Why `owner` found no address."""
    if person.channel == "email":
        return "there is no mailbox to write to"
    return "their number is a landline, which takes no texts" if person.phone else "there is no number to write to"


def ways(person: Owner, channels: Iterable[str]) -> tuple[OwnerRecipient, ...]:
    """For what must reach them: on the channel that they chose, and then on each of these on which we have another
    address.
    """
    first = owner(person)
    found = [] if first is None else [first]
    for channel in channels:
        address = _at(person, channel)
        if address and all(address != known.address for known in found):
            found.append(OwnerRecipient(person.id, channel, address, person.language))
    return tuple(found)


def staff(person: Staff, channels: Iterable[str]) -> StaffRecipient | None:
    """On the first of these channels on which we have an address.

    Which ones, and in which order, is for what is sent to say.
    """
    for channel in channels:
        address = _at(person, channel)
        if address:
            return StaffRecipient(person.id, channel, address, person.language)
    return None


def _at(person: Owner | Staff, channel: str) -> str | None:
    """Where they are reached on this channel.

    A landline takes no texts: it is rung. The demo phone's page shows every number.
    """
    if channel == "email":
        return person.email
    return person.phone if person.phone and (channel == "phone" or textable(person.phone)) else None
