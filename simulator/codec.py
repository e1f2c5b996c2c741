"""Between frames and signals, by data: the DBC says where a signal lies, its attribute `VssPath` which signal it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import can
import cantools

from schemas.errors import Misconfigured
from schemas.signal import BY_PATH

FOLDER = Path(__file__).parent / "dbc"
_MOST_STEPS = 4_096  #: of a signal, whose values are worked out once


@dataclass(frozen=True, slots=True)
class Place:
    """Where one signal lives and what its bits can say. Above `high` lie J1939's error and not-available patterns."""

    signal: int
    name: str
    scale: float
    offset: float
    low: float
    high: float
    digits: int


class Codec:
    """The messages of one vehicle model's buses."""

    def __init__(self, names: Iterable[str]) -> None:
        self.messages: dict[int, Any] = {}
        self.places: dict[int, tuple[Place, ...]] = {}  # frame id -> its signals
        self._home: dict[int, int] = {}  # signal id -> frame id
        #: of each signal: low, high, scale, offset, digits, and the values of the steps that came before
        self._grid: dict[int, tuple[float, float, float, float, int, dict[int, float]]] = {}
        for name in names:
            self._read(FOLDER / name)

    def _read(self, path: Path) -> None:
        try:
            database: Any = cantools.database.load_file(str(path))
        except (OSError, cantools.Error) as error:
            raise Misconfigured(str(path), f"is no readable DBC file ({error})") from None
        for message in database.messages:
            places = []
            for signal in message.signals:
                attribute = signal.dbc.attributes.get("VssPath")
                if attribute is None or not attribute.value:
                    continue
                if attribute.value not in BY_PATH:
                    raise Misconfigured(str(path), f"{signal.name} names {attribute.value}, which is no signal we know")
                scale, offset = float(signal.scale), float(signal.offset)
                digits = max(0, len(f"{scale:.10f}".rstrip("0").partition(".")[2]))
                top = ((1 << (signal.length - signal.is_signed)) - 1) * scale + offset
                low, high = float(signal.minimum), min(float(signal.maximum), top)
                place = Place(BY_PATH[attribute.value].id, signal.name, scale, offset, low, high, min(6, digits))
                places.append(place)
                self._home[place.signal] = message.frame_id
                self._grid[place.signal] = (low, high, scale, offset, place.digits, {})
            self.messages[message.frame_id] = message
            self.places[message.frame_id] = tuple(places)

    def quantised(self, values: Mapping[int, float]) -> dict[int, float]:
        """The values as the bus's resolution leaves them; what no frame carries is dropped."""
        found, grid = {}, self._grid
        for signal, value in values.items():
            place = grid.get(signal)
            if place is None:
                continue
            low, high, scale, offset, digits, known = place  # as in `_through`, which costs most of a simulated day
            step = round(((low if value < low else high if value > high else value) - offset) / scale)
            said = known.get(step)
            if said is None:
                said = round(step * scale + offset, digits)
                if len(known) < _MOST_STEPS:
                    known[step] = said
            found[signal] = said
        return found

    def frame_ids(self, signals: Iterable[int]) -> list[int]:
        """The frames that carry these signals, in the order of the DBC."""
        wanted = {self._home[signal] for signal in signals if signal in self._home}
        return [frame for frame in self.messages if frame in wanted]

    def encode(self, frame_id: int, values: Mapping[int, float]) -> can.Message:
        """One frame; a signal without a value is sent as all ones, which on J1939 says "not available"."""
        message, values_by_place, missing = self.messages[frame_id], {}, []
        for place in self.places[frame_id]:
            value = values.get(place.signal)
            if value is None:
                missing.append(place.name)
                values_by_place[place.name] = place.low
            else:
                values_by_place[place.name] = _through(place, value)
        data = bytearray(message.encode(values_by_place, padding=True, strict=False))
        if missing:
            data = _not_available(message, data, missing)
        return can.Message(arbitration_id=frame_id, is_extended_id=message.is_extended_frame, data=bytes(data))

    def decode(self, frame: can.Message) -> dict[int, float]:
        """The values of a frame; an unknown frame has none, an error or not-available pattern is no value."""
        message = self.messages.get(frame.arbitration_id)
        if message is None or len(frame.data) < message.length:
            return {}
        data = message.decode(bytes(frame.data), decode_choices=False)
        return {
            place.signal: round(float(data[place.name]), place.digits)
            for place in self.places[frame.arbitration_id]
            if data[place.name] <= place.high + place.scale / 2
        }


def _through(place: Place, value: float) -> float:
    value = min(max(value, place.low), place.high)
    return round(round((value - place.offset) / place.scale) * place.scale + place.offset, place.digits)


def _not_available(message: Any, data: bytearray, names: list[str]) -> bytearray:
    number = int.from_bytes(data, "little")
    for signal in message.signals:
        if signal.name in names:
            number |= ((1 << signal.length) - 1) << signal.start
    return bytearray(number.to_bytes(len(data), "little"))


@cache
def codec(names: tuple[str, ...]) -> Codec:
    """The codec of a profile's DBC files, read once."""
    return Codec(names)
