"""What a manager may set about the dealer: how one setting is called, explained and bounded, said once beside its
field.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: Where on the settings page; None: the API's alone.
Section = Literal["house", "drives", "limits", "kept", "signing in"]
WEEK = 7 * 24 * 60  #: minutes


@dataclass(frozen=True, slots=True)
class Setting:
    """`least` and `most` bound a number, or the length of a text.

    Not enforced when rows are read: limits may have been wider once.
    """

    title: str
    hint: str = ""
    section: Section | None = None
    unit: str = ""  #: of a number: minutes, days or km
    least: int = 1
    most: int = 400

    @property
    def range(self) -> str:
        """What a number must be, as people are told."""
        return f"is a number of {self.unit} from {self.least} to {self.most}"


def minutes(title: str, hint: str, least: int = 1) -> Setting:
    """A limit of business time, up to a week."""
    return Setting(title, hint, section="limits", unit="minutes", least=least, most=WEEK)
