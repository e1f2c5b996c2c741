"""UDS (ISO 14229) as the telematics unit reads it: lists of codes with their status byte, and known data
identifiers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

from simulator.obd2 import code_of

FAILED, PENDING, CONFIRMED, LAMP = 0x01, 0x04, 0x08, 0x80
_PSI_FIFTH = 6.894757 / 5.0  # kPa in a fifth of a psi


@dataclass(frozen=True, slots=True)
class Field:
    """Bytes of a data identifier's payload and the signal they are."""

    signal: int
    start: int
    length: int
    scale: float
    offset: float = 0.0
    signed: bool = False

    def raw(self, value: float) -> bytes:
        """The bytes of a value, by themselves."""
        least, most = (
            (-(1 << 8 * self.length - 1), (1 << 8 * self.length - 1) - 1)
            if self.signed
            else (0, (1 << 8 * self.length) - 2)
        )
        return min(max(round((value - self.offset) / self.scale), least), most).to_bytes(
            self.length, "big", signed=self.signed
        )

    def value(self, payload: bytes) -> float | None:
        raw = payload[self.start : self.start + self.length]
        if len(raw) < self.length or (not self.signed and all(byte == 0xFF for byte in raw)):
            return None
        return round(int.from_bytes(raw, "big", signed=self.signed) * self.scale + self.offset, 4)


@dataclass(frozen=True, slots=True)
class Layout:
    """How one maker writes one data identifier: which unit answers, how long the answer is, what its bytes are.

    Makers do not publish these. One stands here only with golden bytes of a real car in its test, position by position,
    and is believed only where the answer has exactly its length: a car with four bytes a wheel where we know five is
    not told that a tyre is empty.
    """

    name: str  #: as a vehicle model names it (`uds` of its profile)
    unit: int
    identifier: int
    length: int  #: bytes after the identifier
    fields: tuple[Field, ...]


#: Checked against a recording: 247/240/243/241 kPa at 7 Celsius; 83.5 %, 769.7 V, cells from 4.00 to 4.00 V (numbers 13
#: and 168 of 192: their sum is the pack's voltage), 8 Celsius, 11.8 V in the 12 V battery, 3,000 kOhm, health 100 %.
LAYOUTS: tuple[Layout, ...] = (
    Layout(
        "korean_ev_tyres",
        0x7A8,
        0xC00B,
        33,
        tuple(
            field
            for wheel in range(4)
            for field in (
                Field(70 + wheel, 4 + 5 * wheel, 1, _PSI_FIFTH),
                Field(74 + wheel, 5 + 5 * wheel, 1, 1.0, -50.0),
            )
        ),
    ),
    Layout(
        "korean_ev_battery",
        0x7EC,
        0x0101,
        59,
        (
            Field(45, 4, 1, 0.5),
            Field(54, 10, 2, 0.1, signed=True),
            Field(53, 12, 2, 0.1),
            Field(51, 14, 1, 1.0, signed=True),
            Field(48, 23, 1, 0.02),
            Field(65, 24, 1, 1.0),
            Field(47, 25, 1, 0.02),
            Field(49, 26, 1, 1.0),
            Field(5, 29, 1, 0.1),
            Field(52, 57, 2, 1.0),
        ),
    ),
    Layout("korean_ev_health", 0x7EC, 0x0105, 43, (Field(44, 25, 2, 0.1),)),
)

#: Data identifier of a snapshot (19 04) -> its field. Makers choose these; ours are the stand-in electric car's.
SNAPSHOT: Mapping[int, Field] = {
    0x2001: Field(1, 0, 2, 0.01),
    0x2002: Field(4, 0, 1, 1.0, -60.0),
    0x2003: Field(5, 0, 2, 0.001),
    0x2004: Field(45, 0, 1, 0.5),
    0x2005: Field(47, 0, 2, 0.001),
    0x2006: Field(48, 0, 2, 0.001),
    0x2007: Field(49, 0, 2, 1.0),
    0x2008: Field(50, 0, 2, 0.001),
    0x2009: Field(51, 0, 1, 1.0, -60.0),
    0x200A: Field(52, 0, 2, 1.0),
    0x200B: Field(53, 0, 2, 0.1),
    0x200C: Field(54, 0, 2, 0.1, signed=True),
}


def snapshot_record(values: Mapping[int, float]) -> bytes:
    """`number, count, {identifier data}…` of what was measured then; empty when nothing was."""
    known = [(number, field) for number, field in SNAPSHOT.items() if field.signal in values]
    if not known:
        return b""
    return bytes([0x01, len(known)]) + b"".join(
        number.to_bytes(2, "big") + field.raw(values[field.signal]) for number, field in known
    )


def values_of(unit: int, answer: bytes, names: Collection[str] = ()) -> dict[int, float] | str:
    """The values in an answer `62 did did data…`, or why there are none.

    `names`: the layouts that this model has; none: all.
    """
    if len(answer) < 4:
        return "too_short"
    identifier = answer[1] << 8 | answer[2]
    known = [
        one for one in LAYOUTS if (one.unit, one.identifier) == (unit, identifier) and (not names or one.name in names)
    ]
    if not known:
        return f"no_signal_for_identifier_{identifier:04x}"
    layout = next((one for one in known if one.length == len(answer) - 3), None)
    if layout is None:
        return f"identifier_{identifier:04x}_has_another_layout"
    found = {field.signal: value for field in layout.fields if (value := field.value(answer[3:])) is not None}
    return found or "not_available"


Status = Literal["pending", "confirmed"]


def status_of(status: int) -> Status | None:
    """One word for a status byte: confirmed, pending, or neither."""
    return "confirmed" if status & CONFIRMED else "pending" if status & PENDING else None


def codes_of(answer: bytes) -> list[tuple[str, int]]:
    """Codes and status bytes of `59 02 mask {high middle low status}…`; the third byte is the failure type."""
    found = []
    for n in range(3, len(answer) - 3, 4):
        code = code_of(answer[n : n + 2])
        if code is not None:
            found.append((f"{code}-{answer[n + 2]:02X}", answer[n + 3]))
    return found
