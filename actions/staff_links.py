"""A secret link that lets somebody of our own choose a password: who it is for."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from actions.context import House
from schemas.account import Staff
from schemas.errors import NotFound
from store import accounts, secrets


async def person_of(
    house: House, token: str, purpose: Literal["invitation", "reset"], now: datetime, *, noun: str
) -> Staff:
    """Whom the link is for; NotFound of `noun` when it opens nothing at `now` any more. Looking uses nothing up."""
    async with house.at(None) as connection:
        secret = await secrets.find(connection, token, purpose)
    if secret is None or secret.staff_id is None or secret.used_at is not None or not secret.opens(now):
        raise NotFound(noun)
    async with house.at(secret.dealer_id) as connection:
        person = await accounts.staff(connection, secret.dealer_id, secret.staff_id)
    if person.disabled_at is not None:
        raise NotFound(noun)
    return person
