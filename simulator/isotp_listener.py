"""ISO-TP (ISO 15765-2) overheard: puts together what two others say to each other, without flow control of our own."""

from __future__ import annotations

from dataclasses import dataclass, field


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
            size = data[0] & 0x0F
            return data[1 : 1 + size] if 0 < size < len(data) else "empty_frame"
        if kind == 1 and len(data) >= 2:
            self._going[frame_id] = _Going((data[0] & 0x0F) << 8 | data[1], bytearray(data[2:]))
            return None
        if kind == 2:
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
        return "flow_control" if kind == 3 else "no_iso_tp"
