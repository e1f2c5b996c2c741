"""The calendar file of a text about a visit: the minute that its words name, for whoever reads it by mail. Pure."""

from __future__ import annotations

from datetime import datetime

from rules.service.calendar_feed import Entry, feed
from rules.service.rewording import given
from schemas.message import Message, MessageKind

NAME = "visit.ics"
_ABOUT = (MessageKind.BOOKED, MessageKind.MOVED, MessageKind.REMINDER, MessageKind.CANCELLED)


def of(message: Message) -> bytes | None:
    """What a calendar takes in; it knows the visit again when it moves or falls through. None of any other text."""
    visit = next((one for one in message.facts.get("asserts", ()) if one.get("noun") == "booking"), None)
    words = message.facts.get("words")
    if message.kind not in _ABOUT or message.owner_id is None or visit is None or not words:
        return None
    known = given(words, message.due_at)
    starts_at, ends_at, zone = known.get("starts_at"), known.get("ends_at"), known.get("zone")
    if not isinstance(starts_at, datetime) or not isinstance(ends_at, datetime) or not isinstance(zone, str):
        return None
    return feed(
        str(known.get("dealer", "")),
        zone,
        [
            Entry(
                f"visit-{visit['id']}@telltale",
                f"{known.get('dealer', '')}: {known.get('vehicle', '')}",
                starts_at=starts_at,
                ends_at=ends_at,
                changed_at=message.queued_at,
                words=str(known.get("phone", "")),
                cancelled=message.kind is MessageKind.CANCELLED,
            )
        ],
    )
