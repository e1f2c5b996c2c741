"""Text that can be kept."""

from __future__ import annotations

from schemas.errors import BadInput


def storable(text: str, field: str) -> str:
    """The same text; BadInput when no column takes it: a NUL, or half a surrogate pair, which is no letter."""
    if "\x00" in text or (not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text)):
        raise BadInput(field or "(no name)", "contains a character that cannot be stored")
    return text
