"""What every channel can do: hand a text over, and say whether it was handed over."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from schemas.errors import DeliveryFailed
from schemas.message import Message


@dataclass(frozen=True, slots=True)
class Receipt:
    """The provider has it, under its own name for it."""

    provider_id: str


class Lookup(Enum):
    """What a provider may answer when it has no receipt to show."""

    NEVER_CAME = "never came"
    CANNOT_TELL = "cannot tell"


class Blocked(DeliveryFailed):
    """The message could not be delivered: {reason}"""

    def __init__(self) -> None:
        super().__init__("the owner has blocked our number at the provider", permanent=True)


class Busy(DeliveryFailed):
    """The message could not be delivered: {reason}"""

    def __init__(self, retry_after_s: float) -> None:
        self.retry_after_s = retry_after_s
        super().__init__("the provider asks us to slow down")


class Channel(Protocol):
    """One way to a person.

    `send` raises DeliveryFailed only when the provider surely did not take the text; any other error means that
    nobody knows, and `lookup` is asked before the text is sent again. `message.reference` is its name on both sides;
    a provider that does not know it goes by words and number, and `taken` are receipts that belong to other texts of ours.
    """

    @property
    def sender(self) -> str:
        """Whom texts come from when a dealer has no address of its own; empty: the dealer's phone."""
        ...

    async def send(self, message: Message, sender: str) -> Receipt: ...

    async def lookup(self, message: Message, taken: Collection[str] = ()) -> Receipt | Lookup: ...

    async def close(self) -> None: ...
