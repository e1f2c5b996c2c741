"""ISO-TP (ISO 15765-2) overheard: puts together what two others say to each other, without flow control of our own.

CAN FD's long forms are read as well: a single frame whose length stands in the second byte, a first frame whose length
has 32 bits.
"""

from __future__ import annotations

from dataclasses import dataclass, field

#: no answer to a workshop's question is longer; a damaged length must not make us wait for gigabytes
MOST_BYTES = 1 << 16


@dataclass(slots=True)
class _Going:
    size: int
    data: bytearray = field(default_factory=bytearray)
    next: int = 1


class IsoTpListener:
    """One payload at a time per frame id."""

    def __init__(self) -> None:
        self._going: dict[int, _Going] = {}

    def hear(self, frame_id: int, data: bytes) -> bytes | str | None:
        """A whole payload; None while it is not complete; a word when the frame carries nothing of it."""
        if not data:
            return "empty_frame"
        kind = data[0] >> 4
        if kind == 0:
            start, size = (1, data[0] & 0x0F) if data[0] or len(data) <= 8 else (2, data[1])
            return data[start : start + size] if 0 < size <= len(data) - start else "empty_frame"
        if kind == 1 and len(data) >= 2:
            return self._begin(frame_id, data)
        if kind == 2:
            return self._go_on(frame_id, data)
        return "flow_control" if kind == 3 else "no_iso_tp"

    def _begin(self, frame_id: int, data: bytes) -> str | None:
        start, size = 2, (data[0] & 0x0F) << 8 | data[1]
        if size == 0 and len(data) > 6:  # the escape of CAN FD
            start, size = 6, int.from_bytes(data[2:6], "big")
        if not len(data) - start < size <= MOST_BYTES:
            return "no_iso_tp"
        self._going[frame_id] = _Going(size, bytearray(data[start:]))
        return None

    def _go_on(self, frame_id: int, data: bytes) -> bytes | str | None:
        going = self._going.get(frame_id)
        if going is None or data[0] & 0x0F != going.next & 0x0F:
            self._going.pop(frame_id, None)
            return "part_without_its_start"
        going.next += 1
        going.data += data[1:]
        if len(going.data) < going.size:
            return None
        del self._going[frame_id]
        return bytes(going.data[: going.size])
