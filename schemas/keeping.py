"""How long what is known is kept, kind by kind: each dealer chooses within bounds, a worker takes away what is
older.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from schemas.setting import Setting
from schemas.signal import BY_PATH

#: Where a car was. Nothing is judged by these, so that they can go long before the readings they came with.
WHERE: Final = tuple(f"Vehicle.CurrentLocation.{leaf}" for leaf in ("Latitude", "Longitude", "Altitude"))
WHERE_IDS: Final = tuple(BY_PATH[path].id for path in WHERE)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of data. `goes` and `stays` are told to people as they stand here."""

    name: str
    title: str
    usual: int  #: days, unless the dealer chooses others
    least: int
    most: int
    goes: str
    stays: str

    @property
    def setting(self) -> str:
        """The dealer's setting."""
        return f"keep_{self.name}_days"

    @property
    def as_setting(self) -> Setting:
        """What the settings page says about it."""
        hint = f"{self.goes[:1].upper()}{self.goes[1:]}. {self.least} to {self.most:,} days."
        return Setting(self.title, hint, section="kept", unit="days", least=self.least, most=self.most)


READINGS = Kind(
    "readings",
    "Readings",
    usual=400,
    least=30,
    most=3_660,
    goes="what cars said, message by message",
    stays="alerts with their evidence; the readings of a car with an open case, since its first alert",
)
POSITIONS = Kind(
    "positions",
    "Where cars were",
    usual=30,
    least=1,
    most=400,
    goes="latitude, longitude and altitude out of readings, and the contents of refused messages",
    stays="the other values of the same readings; that a message was refused, and why",
)
TEXTS = Kind(
    "texts",
    "Words of texts",
    usual=730,
    least=30,
    most=3_660,
    goes="the words of texts both ways, comments on a visit, numbers of strangers who wrote",
    stays="that a text went, when, about what and what became of it; the score; the words that belong to an open case",
)
AUDIT = Kind(
    "audit",
    "Audit log",
    usual=3_650,
    least=365,
    most=7_320,
    goes="who did what, the oldest first",
    stays="what comes after the first row of an open case; the end of the sealed chain, and a proof of where it begins",
)
KINDS: Final = (READINGS, POSITIONS, TEXTS, AUDIT)
