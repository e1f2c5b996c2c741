"""What a mail carries besides its words: a name that nobody can guess, and the way to end all mails (RFC 8058).

Whoever hands a mail over puts it on (`dressed`), whoever writes the letter reads it off (`of`). The token of the link
and the one of the name are signed for the message with the house's key, each for its own use: an answer or a bounce
that brings our name back is about just that mail, and the name ends nothing. Pure.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass

from schemas.message import Message

_FIELD = "letter"
_TOKEN = re.compile(r"([1-9][0-9]{0,17})-([1-9][0-9]{0,17})-([0-9a-f]{32})")
_OURS = re.compile(r"<m([^@<>\s]{1,80})@")


@dataclass(frozen=True, slots=True)
class Letter:
    """What one mail carries."""

    name: str = ""  #: before the @ of its Message-ID
    end: str = ""  #: the address at which one press ends all mails
    foot: str = ""  #: the same, for whoever reads it


def dressed(message: Message, letter: Letter) -> Message:
    """The message as it is handed over; what is stored stays as it is."""
    carried = {"name": letter.name, "end": letter.end, "foot": letter.foot}
    return message.model_copy(update={"facts": {**message.facts, _FIELD: carried}})


def of(message: Message) -> Letter:
    """What this one carries; nothing where nobody has put anything on it."""
    return Letter(**message.facts.get(_FIELD, {}))


def end_token(key: bytes, dealer_id: int, message_id: int) -> str:
    """Opens the page that ends what goes to this message's address."""
    return _signed(key, "end", dealer_id, message_id)


def ends(key: bytes, token: str) -> tuple[int, int] | None:
    """The dealer and the message of an `end_token`; None for what we never made."""
    return _read(key, "end", token)


def name(key: bytes, dealer_id: int, message_id: int) -> str:
    """What stands before the @ of the Message-ID."""
    return f"m{_signed(key, 'name', dealer_id, message_id)}"


def named(key: bytes, ids: Iterable[str]) -> tuple[int, int] | None:
    """The dealer and the message of the first of these Message-IDs (`<…@…>`, several in one string) that is ours."""
    found = (_read(key, "name", match[1]) for text in ids for match in _OURS.finditer(text))
    return next((one for one in found if one is not None), None)


def _signed(key: bytes, what: str, dealer_id: int, message_id: int) -> str:
    digest = hmac.new(key, f"letter {what}\n{dealer_id}\n{message_id}".encode(), hashlib.sha256).hexdigest()[:32]
    return f"{dealer_id}-{message_id}-{digest}"


def _read(key: bytes, what: str, token: str) -> tuple[int, int] | None:
    match = _TOKEN.fullmatch(token)
    if match is None:
        return None
    dealer_id, message_id = int(match[1]), int(match[2])
    return (dealer_id, message_id) if hmac.compare_digest(_signed(key, what, dealer_id, message_id), token) else None
