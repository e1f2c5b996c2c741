"""What a provider of texts or mail can do: take a text, say whether it has it, bring what owners wrote."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Protocol

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


class Provider(Protocol):
    """One way to a person.

    `send` raises DeliveryFailed only when the provider surely did not take the text; any other error means that nobody
    knows, and `lookup` is asked before the text is sent again. `message.reference` is its name on both sides; a
    provider that does not know it goes by words and number, and `taken` are receipts that belong to other texts of
    ours.
    """

    @property
    def sender(self) -> str:
        """Whom texts come from when a dealer has no address of its own; empty: the dealer's phone."""
        ...

    @property
    def missed(self) -> Missed | None:
        """What it received and our door may have missed; None where it cannot be asked."""
        ...

    async def send(self, message: Message, sender: str) -> Receipt: ...

    async def lookup(self, message: Message, taken: Collection[str] = ()) -> Receipt | Lookup: ...

    async def close(self) -> None: ...


class Missed(Protocol):
    """A provider that can be asked what it received for us."""

    async def received(self, number: str, since: datetime) -> list[dict[str, str]]:
        """For one of our numbers, oldest first, in the form in which it brings them; nothing when it does not
        answer.
        """
        ...

    def name_of(self, text: dict[str, str]) -> str:
        """The provider's own name for one of them."""
        ...

    async def deliver(self, public_url: str, text: dict[str, str]) -> None:
        """Bring it to our own door, as the provider would."""
        ...


@dataclass(frozen=True, slots=True)
class Incoming:
    """A text that an owner sent, under the provider's name for it."""

    provider_id: str
    from_address: str
    to_address: str
    body: str


class Fate(Enum):
    """What became of a text of ours."""

    DELIVERED = "delivered"
    LOST = "lost"
    ON_ITS_WAY = "on its way"


@dataclass(frozen=True, slots=True)
class Report:
    """From which of our numbers a text went, what became of it, and why when it is lost."""

    from_address: str
    fate: Fate
    reason: str


class Inbound(Protocol):
    """How a provider's webhooks are believed and read."""

    media: str
    answer: tuple[str, str]  #: body and media type of our answer to a text

    def signed(self, address: str, form: Mapping[str, str], headers: Mapping[str, str]) -> bool: ...

    def text(self, form: Mapping[str, str]) -> Incoming: ...

    def report(self, form: Mapping[str, str]) -> Report: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A provider's line in the register. `settings` is an instance of the class in its own folder."""

    name: str  #: as in the addresses of its webhooks
    channel: str  #: which it serves
    switch: str  #: the variable that sets it up
    set_up: Callable[[Any], bool]
    reaches_people: Callable[[Any], bool]
    open: Callable[[Any, str], Provider]  #: settings, the address for delivery reports
    inbound: Callable[[Any], Inbound | None] | None = None
