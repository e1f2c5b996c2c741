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
        return Setting(self.title, hint, "kept", "days", self.least, self.most)


READINGS = Kind(
    "readings",
    "Readings",
    400,
    30,
    3_660,
    "what cars said, message by message",
    "alerts with their evidence; the readings of a car with an open case, since its first alert",
)
POSITIONS = Kind(
    "positions",
    "Where cars were",
    30,
    1,
    400,
    "latitude, longitude and altitude out of readings, and the contents of refused messages",
    "the other values of the same readings; that a message was refused, and why",
)
TEXTS = Kind(
    "texts",
    "Words of texts",
    730,
    30,
    3_660,
    "the words of texts both ways, comments on a visit, numbers of strangers who wrote",
    "that a text went, when, about what and what became of it; the score; the words that belong to an open case",
)
AUDIT = Kind(
    "audit",
    "Audit log",
    3_650,
    365,
    7_320,
    "who did what, the oldest first",
    "what comes after the first row of an open case; the end of the sealed chain, and a proof of where it begins",
)
KINDS: Final = (READINGS, POSITIONS, TEXTS, AUDIT)
