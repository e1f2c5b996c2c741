"""What one read of one session brought."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

OVERHEAD: Final = 200  #: bytes that a message takes besides its topic and payload: two objects, three places in lists, one in a set

if TYPE_CHECKING:
    from gateway.mqtt.session import Session


@dataclass(slots=True)
class Chunk:
    """Parallel lists, because one object per message is too dear."""

    session: Session
    epoch: int
    mids: list[int] = field(default_factory=list)  #: 0: QoS 0, nothing to acknowledge
    topics: list[bytes] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    retained: list[int] = field(default_factory=list)  #: positions that came with the retain flag
    size: int = 0  #: bytes that it takes: topics, payloads and OVERHEAD each

    def __len__(self) -> int:
        return len(self.mids)
