"""docs/reference/decoders.md, made from the decoders' own tables: `python -m telltale.decoders_page` writes it."""

from __future__ import annotations

from pathlib import Path

from schemas.signal import BY_ID
from simulator import j1939, obd2, uds

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "decoders.md"
_HEAD = """# What the decoders read, and what they do not

Frames become values by these tables and by nothing else; every frame that becomes none is counted with its reason
(`telltale play … --json`,
`ignored`). This page is made by `python -m telltale.decoders_page`.

**Control units.** OBD-II and UDS are read on 11 bits (0x700 to 0x7FF: who asks and who answers is told by the service)
and on 29 bits (18DA.. and 18DB..), with ISO-TP on classic CAN and CAN FD; a vehicle model may name further ids on which
its units answer (`answers` of its profile). Each unit has its own lists and lamps: the car's list is their union, a
lamp is on while any unit says so, and a value is heard from one unit, the engine's where it says it.

**Not claimed.** Requests (the unit in the car asks, a recording is only listened to), service 06, VIN and calibration
numbers, DM2 and later
DM messages, SPNs written by an older conversion method (counted), whatever a maker defines himself beyond the layouts
below.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_obd2(), *_uds(), *_j1939()]) + "\n"


def _title(signal: int) -> str:
    return f"`{BY_ID[signal].path}` ({BY_ID[signal].unit})"


def _obd2() -> list[str]:
    lines = [
        "## OBD-II, service 01",
        "",
        "Several PIDs in one answer are told apart by their sizes, also those without a signal.",
        "",
    ]
    lines += ["| PID | bytes | signal |", "|---|---|---|", f"| 01 | 4 | {_title(33)}, {_title(34)} |"]
    lines += [f"| {pid:02X} | {size} | {_title(signal)} |" for pid, (signal, size, _) in sorted(obd2.PIDS.items())]
    lists = ", ".join(f"{service - 0x40:02X} ({status})" for service, status in sorted(obd2.CODE_LISTS.items()))
    return [*lines, "", f"Lists of codes: services {lists}; 0000 is no code.", ""]


def _uds() -> list[str]:
    lines = [
        "## UDS",
        "",
        "Lists of codes: 19 02 with status bytes. Data identifiers, each checked against a recording of a real car, "
        "and only",
        "",
    ]
    lines[-2] += (
        " where the answer has exactly this length; a vehicle model may name its layouts (`uds` of its profile):"
    )
    lines += ["| layout | unit | identifier | bytes | signals by position |", "|---|---|---|---|---|"]
    for one in uds.LAYOUTS:
        where = "; ".join(f"{f.start}: {_title(f.signal)}" for f in one.fields)
        lines.append(f"| `{one.name}` | {one.unit:03X} | {one.identifier:04X} | {one.length} | {where} |")
    return [*lines, ""]


def _j1939() -> list[str]:
    lines = [
        "## SAE J1939",
        "",
        "DM1 with its four lamps and their flash, one frame or several (BAM, and RTS/CTS kept apart by destination). "
        "0xFB and",
        "",
    ]
    lines[-2] += (
        " above in the highest byte of a field are error and not-available patterns, never values. At most one sample "
        "a second."
    )
    lines += ["| group | name | signals |", "|---|---|---|"]
    for pgn, (name, places) in sorted(j1939.Groups().names().items()):
        if places:
            lines.append(f"| {pgn} | {name} | {', '.join(_title(place.signal) for place in places)} |")
    lines.append(
        f"| {j1939.TIRE} | TIRE | pressure (4 kPa) and air temperature of one tyre, by axle and position from the "
        "left; up to 18 wheels |"
    )
    return lines


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
