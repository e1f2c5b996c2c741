"""The car's control units: they put what the physics says on the bus, as frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import can

from simulator.codec import Codec


class Ecus:
    """All senders of one car's bus. They remember their last values, as real ones do."""

    def __init__(self, bus: can.BusABC, codec: Codec) -> None:
        self._bus, self._codec = bus, codec
        self.values: dict[int, float] = {}  #: as last sent
        self.spoilt: set[int] = set()  #: frame ids that carry error patterns (a data fault)
        self.frames = 0

    def show(self, values: Mapping[int, float], ts: float) -> None:
        """Send every frame that carries one of these values."""
        self.values.update(values)
        for frame_id in self._codec.frame_ids(values):
            self._send(self._codec.encode(frame_id, {} if frame_id in self.spoilt else self.values), ts)

    def send(self, frames: Iterable[can.Message], ts: float) -> None:
        """Put ready-made frames on the bus (diagnostics)."""
        for frame in frames:
            self._send(frame, ts)

    def _send(self, frame: can.Message, ts: float) -> None:
        frame.timestamp = ts
        self._bus.send(frame)
        self.frames += 1
