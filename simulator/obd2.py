"""OBD-II (SAE J1979) as the telematics unit reads it: answers of service 01 by PID, lists of codes of 03, 07 and 0A."""

from __future__ import annotations

from collections.abc import Callable, Mapping

#: Service of a list of codes -> the status of its codes.
CODE_LISTS: Mapping[int, str] = {0x43: "confirmed", 0x47: "pending", 0x4A: "permanent"}
_SYSTEMS = "PCBU"


def _byte(data: bytes) -> float:
    return float(data[0])


def _word(data: bytes) -> float:
    return float(data[0] << 8 | data[1])


def _percent(data: bytes) -> float:
    return data[0] * 100.0 / 255.0


def _celsius(data: bytes) -> float:
    return data[0] - 40.0


def _trim(data: bytes) -> float:
    return data[0] / 1.28 - 100.0


#: PID -> (signal id, bytes, conversion). Ids are those of schemas/signal.py.
PIDS: Mapping[int, tuple[int, int, Callable[[bytes], float]]] = {
    0x04: (25, 1, _percent),
    0x05: (11, 1, _celsius),
    0x06: (30, 1, _trim),
    0x07: (31, 1, _trim),
    0x0B: (19, 1, _byte),
    0x0C: (10, 2, lambda d: _word(d) / 4.0),
    0x0D: (1, 1, _byte),
    0x0F: (26, 1, _celsius),
    0x10: (18, 2, lambda d: _word(d) / 100.0),
    0x11: (20, 1, _percent),
    0x1F: (27, 2, _word),
    0x21: (35, 2, _word),
    0x2F: (39, 1, _percent),
    0x30: (37, 1, _byte),
    0x31: (36, 2, _word),
    0x33: (38, 1, _byte),
    0x42: (32, 2, lambda d: _word(d) / 1000.0),
    0x46: (4, 1, _celsius),
    0x5C: (13, 1, _celsius),
    0x5E: (40, 2, lambda d: _word(d) / 20.0),
    0xA6: (2, 4, lambda d: int.from_bytes(d[:4], "big") * 100.0),  # 0.1 km -> m
}

#: PID -> bytes, also of those that are no signal of ours: an answer may hold several, and they must be told apart.
SIZES: Mapping[int, int] = {
    **dict.fromkeys((0x00, 0x01, 0x20, 0x40, 0x41, 0x4F, 0x50, 0x60, 0x80, 0xA0, 0xA6), 4),
    **dict.fromkeys((0x02, 0x03, 0x0C, 0x10, *range(0x14, 0x1C), 0x1F, 0x21, 0x22, 0x23, 0x31, 0x32), 2),
    **dict.fromkeys(
        (*range(0x04, 0x0C), 0x0D, 0x0E, 0x0F, 0x11, 0x12, 0x13, 0x1C, 0x1D, 0x1E, *range(0x2C, 0x31), 0x33), 1
    ),
    **dict.fromkeys((*range(0x24, 0x2C), *range(0x34, 0x3C)), 4),
    **dict.fromkeys((*range(0x3C, 0x40), 0x42, 0x43, 0x44, 0x4D, 0x4E, *range(0x53, 0x5A), 0x5D, 0x5E, 0x63), 2),
    **dict.fromkeys((0x45, 0x46, *range(0x47, 0x4D), 0x51, 0x52, 0x5A, 0x5B, 0x5C, 0x5F, 0x61, 0x62), 1),
    0x64: 5,
}


def parts_of(answer: bytes) -> list[bytes]:
    """An answer of service 01 to several PIDs (`41 pid data pid data …`) as answers to one each.

    Only where the known sizes fill it exactly; otherwise it is one answer, whose rest nobody can tell apart.
    """
    parts, at = [], 1
    while at < len(answer):
        size = SIZES.get(answer[at])
        if size is None or at + 1 + size > len(answer):
            return [answer]
        parts.append(answer[:1] + answer[at : at + 1 + size])
        at += 1 + size
    return parts


def values_of(answer: bytes) -> dict[int, float] | str:
    """The values in an answer of service 01 (`41 pid data…`), or why there are none."""
    if len(answer) < 3:
        return "too_short"
    pid, data = answer[1], answer[2:]
    if pid == 0x01:
        return {33: float(data[0] >> 7), 34: float(data[0] & 0x7F)}
    known = PIDS.get(pid)
    if known is None:
        return f"no_signal_for_pid_{pid:02x}"
    signal, size, convert = known
    return {signal: round(convert(data), 4)} if len(data) >= size else "too_short"


def code_of(two: bytes) -> str | None:
    """SAE J2012: 0x0301 is P0301, 0x4123 is C0123; zero is padding."""
    number = two[0] << 8 | two[1]
    if number == 0:
        return None
    return f"{_SYSTEMS[number >> 14]}{number >> 12 & 3}{number & 0xFFF:03X}"


def bytes_of(code: str) -> bytes:
    """P0301 as its two bytes."""
    number = _SYSTEMS.index(code[0]) << 14 | int(code[1]) << 12 | int(code[2:5], 16)
    return number.to_bytes(2, "big")


def codes_of(answer: bytes) -> list[str]:
    """The codes of a list `43 count code code …` (CAN); zero, P0000, is no code."""
    pairs = [answer[n : n + 2] for n in range(2, 2 + 2 * answer[1], 2)] if len(answer) > 1 else []
    return [code for pair in pairs if len(pair) == 2 and (code := code_of(pair)) is not None]
