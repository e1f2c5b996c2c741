"""What may stand in an owner's fields, and what one of them says about another."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from actions.context import House
from rules.service import numbers
from schemas.account import Dealer
from schemas.consent import Owner
from schemas.errors import BadInput
from schemas.moment import zone
from schemas.place import place_of

CHANNELS = ("phone", "sms", "email")


def checked(house: House, dealer: Dealer, values: Mapping[str, Any], before: Owner | None = None) -> dict[str, Any]:
    """Numbers as the world dials them, places as we write them, known zones and languages. `before`: as it stands."""
    found = dict(values)
    if found.get("phone"):
        found["phone"] = numbers.e164(found["phone"], dealer.country)
    if found.get("place") is not None:
        found["place"] = str(place_of(found["place"]) or "") or None
    moved = before is not None and "address" in found and found["address"] != before.address
    if before is not None and moved and found.get("place", before.place) == before.place:
        found["place"] = None  # that was where the old address is
    if "zone" in found:
        zone(found["zone"])
    if "language" in found and found["language"] not in languages(house):
        raise BadInput("language", f"we speak {', '.join(languages(house))}")
    if "channel" in found and found["channel"] not in CHANNELS:
        raise BadInput("channel", f"is one of {', '.join(CHANNELS)}")
    return found


def languages(house: House) -> tuple[str, ...]:
    """What we can speak to owners."""
    return tuple(house.wording.languages)
