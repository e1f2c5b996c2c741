"""How a person is reached: the one rule for owners, and the one for our own people. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from schemas.account import Staff
from schemas.consent import Owner
from schemas.message import OwnerRecipient, StaffRecipient


def owner(person: Owner) -> OwnerRecipient | None:
    """On the channel that they chose; None when we have no address there."""
    address = person.email if person.channel == "email" else person.phone
    return OwnerRecipient(person.id, person.channel, address, person.language) if address else None


def ways(person: Owner, channels: Iterable[str]) -> tuple[OwnerRecipient, ...]:
    """For what must reach them: on the channel that they chose, and then on each of these on which we have another address."""
    first = owner(person)
    found = [] if first is None else [first]
    for channel in channels:
        address = person.email if channel == "email" else person.phone
        if address and all(address != known.address for known in found):
            found.append(OwnerRecipient(person.id, channel, address, person.language))
    return tuple(found)


def staff(person: Staff, channels: Iterable[str]) -> StaffRecipient | None:
    """On the first of these channels on which we have an address. Which ones, and in which order, is for what is sent to say."""
    for channel in channels:
        address = person.email if channel == "email" else person.phone
        if address:
            return StaffRecipient(person.id, channel, address, person.language)
    return None
