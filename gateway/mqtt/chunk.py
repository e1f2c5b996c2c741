"""What one read of one session brought."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

#: bytes that a message takes besides its topic and payload: two objects, three places in lists, one in a set
OVERHEAD: Final = 200


class Bringer(Protocol):
    """The session that a chunk came by, as far as whoever works on the chunk needs it."""

    bucket: int
    chunk: Chunk | None

    def ack(self, epoch: int, mids: list[int]) -> None:
        """Acknowledge these; those of an older epoch are dropped."""


@dataclass(slots=True)
class Chunk:
    """Parallel lists, because one object per message is too dear."""

    session: Bringer
    epoch: int
    mids: list[int] = field(default_factory=list)  #: 0: QoS 0, nothing to acknowledge
    topics: list[bytes] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    retained: list[int] = field(default_factory=list)  #: positions that came with the retain flag
    size: int = 0  #: bytes that it takes: topics, payloads and OVERHEAD each

    def __len__(self) -> int:
        return len(self.mids)
