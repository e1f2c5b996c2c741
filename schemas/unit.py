"""Units by the names that people write, and the way from one to another of the same kind. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from schemas.errors import BadInput


@dataclass(frozen=True, slots=True)
class Unit:
    """`value * factor + offset` is the value in the first unit of its kind."""

    kind: str
    factor: float = 1.0
    offset: float = 0.0


#: kind -> names of one unit, factor, offset. Names are compared without case, blanks and the sign of a degree, but for
#: the sizes of SI.
_UNITS: Final[dict[str, tuple[tuple[str, float, float], ...]]] = {
    "pressure": (
        ("Pa", 1, 0),
        ("hPa mbar", 100, 0),
        ("kPa", 1e3, 0),
        ("MPa", 1e6, 0),
        ("bar", 1e5, 0),
        ("psi lbf/in2", 6_894.757_293, 0),
        ("inHg", 3_386.389, 0),
        ("mmHg", 133.322_4, 0),
    ),
    "temperature": (("Celsius C degC", 1, 0), ("Fahrenheit F degF", 5 / 9, -160 / 9), ("Kelvin K", 1, -273.15)),
    "length": (
        ("m metre meter metres meters", 1, 0),
        ("km kilometre kilometer kilometres kilometers", 1e3, 0),
        ("mi mile miles", 1_609.344, 0),
        ("ft feet", 0.3048, 0),
    ),
    "speed": (("km/h kmh kph", 1, 0), ("mph mi/h miles/h", 1.609_344, 0), ("m/s", 3.6, 0), ("kn knots", 1.852, 0)),
    "voltage": (("V volt volts", 1, 0), ("mV millivolt millivolts", 1e-3, 0)),
    "current": (("A ampere amperes amp amps", 1, 0), ("mA", 1e-3, 0)),
    "power": (("W", 1, 0), ("kW", 1e3, 0), ("hp", 745.699_872, 0), ("PS", 735.498_75, 0)),
    "energy": (("Wh", 1, 0), ("kWh", 1e3, 0), ("MJ", 1e6 / 3_600, 0)),
    "resistance": (("Ohm Ω", 1, 0), ("kOhm kΩ", 1e3, 0), ("MOhm MΩ", 1e6, 0)),
    "time": (
        ("s sec second seconds", 1, 0),
        ("ms", 1e-3, 0),
        ("min minute minutes", 60, 0),
        ("h hour hours", 3_600, 0),
        ("d day days", 86_400, 0),
    ),
    "share": (("percent % pct", 1, 0), ("fraction ratio", 100, 0)),
    "turning": (("rpm 1/min r/min", 1, 0), ("1/s Hz", 60, 0)),
    "mass flow": (("g/s", 1, 0), ("kg/h", 1 / 3.6, 0), ("lb/min", 453.592_37 / 60, 0)),
    "volume flow": (("l/h", 1, 0), ("gal/h gph", 3.785_411_784, 0), ("ml/min", 0.06, 0)),
    "angle": (("degrees deg", 1, 0), ("rad", 57.295_779_513, 0)),
    "bool": (("bool boolean yes/no on/off", 1, 0),),
    "enum": (("enum state", 1, 0),),
    "count": (("count", 1, 0),),
    "id": (("id", 1, 0),),
}


def _plain(name: str) -> str:
    return name.replace(" ", "").replace("°", "").replace("º", "")


_EXACT: Final = {
    _plain(name): Unit(kind, factor, offset)
    for kind, units in _UNITS.items()
    for names, factor, offset in units
    for name in names.split()
}
_LOOSE: Final[dict[str, list[Unit]]] = {}
for _name, _unit in _EXACT.items():
    _LOOSE.setdefault(_name.casefold(), []).append(_unit)


def unit(name: str) -> Unit | None:
    """The unit of that name: as it is written or, where that can be no other, whatever its case (`PSI`; but `mpa` is
    neither mPa nor MPa).
    """
    found = _EXACT.get(_plain(name))
    if found is None:
        alike = _LOOSE.get(_plain(name).casefold(), [])
        found = alike[0] if len(alike) == 1 and _plain(name).casefold() != "mpa" else None
    return found


def conversion(written: str, canonical: str) -> tuple[float, float]:
    """(factor, offset) from the unit that somebody wrote to that of a signal; BadInput when it is none, or of another
    kind.
    """
    here, there = unit(written), _EXACT[_plain(canonical)]
    if here is None:
        near = get_close_matches(written, _EXACT, n=3, cutoff=0.5)
        raise BadInput(
            "unit", f"{written!r} is not a unit we know" + (f" (perhaps {' or '.join(near)})" if near else "")
        )
    if here.kind != there.kind:
        possible = ", ".join(names.split()[0] for names, _, _ in _UNITS[there.kind])
        raise BadInput("unit", f"{written!r} is a {here.kind}, and the signal is a {there.kind}: {possible}")
    return here.factor / there.factor, (here.offset - there.offset) / there.factor
