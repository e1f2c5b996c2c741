"""The handover record: what a car was like when it changed hands. Written once, hashed, never changed."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

from schemas.errors import BadInput
from schemas.moment import Moment
from schemas.text import storable

LEAST_PHOTOS: Final = 4
MOST_PHOTOS: Final = 20
MOST_MARKS: Final = 40
_MOST_STROKES, _MOST_POINTS = 60, 3_000
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")


class HandoverKind(StrEnum):
    """At which of the ends."""

    COLLECT = "collect"  #: we take the customer's car
    RETURN = "return"  #: the customer has it back
    LOANER_OUT = "loaner_out"  #: the customer takes our car
    LOANER_IN = "loaner_in"  #: we have it back

    @property
    def of_loaner(self) -> bool:
        """Whether it is about our car and not about the customer's."""
        return self in (HandoverKind.LOANER_OUT, HandoverKind.LOANER_IN)


class View(StrEnum):
    """What a photo shows."""

    FRONT = "front"
    REAR = "rear"
    LEFT = "left"
    RIGHT = "right"
    INSIDE = "inside"
    DETAIL = "detail"


class Harm(StrEnum):
    """What a mark on the outline stands for."""

    SCRATCH = "scratch"
    DENT = "dent"
    CRACK = "crack"
    MISSING = "missing"


class Energy(StrEnum):
    """What the percentage is of."""

    FUEL = "fuel"
    CHARGE = "charge"


class Records(StrEnum):
    """Where a dealer insists on a record before a drive goes on."""

    BOTH = "both"
    RETURN = "return"
    NOBODY = "nobody"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_strip_whitespace=True)


class Mark(_Part):
    """Damage on the outline seen from above: `x` from nose (0) to tail (1), `y` from its left side (0) to its right
    (1).
    """

    x: Annotated[float, Field(ge=0, le=1)]
    y: Annotated[float, Field(ge=0, le=1)]
    harm: Harm
    note: Annotated[str, Field(max_length=200)] = ""


class Filled(_Part):
    """What somebody fills in. `signature` are strokes as x,y,x,y… in thousandths of the box; else `code`, the owner's
    one-time code.
    """

    key: Annotated[str, Field(min_length=8, max_length=64)]  #: of the sender's: the same record sent twice is one
    odometer_km: Annotated[int, Field(ge=0, le=3_000_000)]
    energy: Energy = Energy.FUEL
    energy_percent: Annotated[int, Field(ge=0, le=100)]
    keys: Annotated[int, Field(ge=0, le=9)]
    marks: Annotated[tuple[Mark, ...], Field(max_length=MOST_MARKS)] = ()
    name: Annotated[
        str, Field(min_length=2, max_length=120)
    ]  #: who signs: the customer, or whoever hands over for them
    note: Annotated[str, Field(max_length=1_000)] = ""
    signature: Annotated[tuple[tuple[int, ...], ...], Field(max_length=_MOST_STROKES)] = ()
    code: Annotated[str, Field(max_length=12)] = ""
    made_at: Moment | None = None  #: by the sender's clock, when it was filled in without network

    @field_validator("key")
    @classmethod
    def _plain_key(cls, value: str) -> str:
        if not _KEY.fullmatch(value):
            raise ValueError("is 8 to 64 letters, digits, - or _")
        return value

    @field_validator("name", "note", "code")
    @classmethod
    def _storable(cls, value: str) -> str:
        try:
            return storable(value, "")
        except BadInput as error:
            raise ValueError(error.reason) from None

    @field_validator("signature")
    @classmethod
    def _strokes(cls, value: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
        if sum(len(stroke) for stroke in value) > 2 * _MOST_POINTS:
            raise ValueError("has too many points")
        if any(len(stroke) % 2 or any(not 0 <= at <= 1_000 for at in stroke) for stroke in value):
            raise ValueError("is made of strokes of x,y pairs from 0 to 1000")
        return value


class Photo(BaseModel):
    """A photo as it is kept: re-encoded by us, so that it is nothing but a picture. `sha256` of the kept bytes, in
    hex.
    """

    model_config = ConfigDict(frozen=True)

    id: int
    dealer_id: int
    booking_id: int
    kind: HandoverKind
    handover_id: int | None  #: None until its record is written
    key: str
    view: View
    place: str  #: its name on the shelf; empty once it is gone
    sha256: str
    size: int  #: bytes
    width: int
    height: int
    stored_at: datetime


class Handover(BaseModel):
    """A record as it stands. `person` is a salted digest of what is a person's in it: it stays when they are erased,
    name and signature go.
    """

    model_config = ConfigDict(frozen=True)

    id: int
    dealer_id: int
    booking_id: int
    leg_id: int | None
    loaner_id: int | None
    kind: HandoverKind
    key: str
    odometer_km: int
    energy: Energy
    energy_percent: int
    keys: int
    marks: tuple[Mark, ...]
    photos: tuple[str, ...]  #: their sha256, in the order of their views
    proof: str  #: signature or code
    made_at: datetime
    recorded_at: datetime
    actor: str
    name: str
    note: str
    signature: tuple[tuple[int, ...], ...]
    salt: bytes | None  #: None once the person is erased
    person: bytes
    hash: bytes
