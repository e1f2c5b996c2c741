"""An evidence pack: what an alert rests on, whole enough to be judged again where there is no database of ours."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError

from schemas.errors import BadInput
from schemas.reading import Mark, Reading
from schemas.telemetry import Diagnostics

FORM: Final = "telltale-evidence-1"
_PART = re.compile(
    rf'<script type="application/gzip" id="{FORM}" data-sha256="([0-9a-f]{{64}})">([A-Za-z0-9+/=\s]*)</script>'
)


class PackedAlert(BaseModel):
    """An alert with each step as it was committed. `swept`: it rests on silence or a recall, not on readings."""

    model_config = ConfigDict(frozen=True)

    alert: int
    rule: str
    component: str
    episode: int
    rule_version: int
    swept: bool
    steps: list[dict[str, Any]]


class Pack(BaseModel):
    """The part of a pack that a program reads. `rows`: the car's readings from its first on, in the order in which they
    were judged, without where the car was; `missing`: why they are not all there.
    """

    model_config = ConfigDict(frozen=True)

    form: str
    made_at: str
    case: int
    vin: str
    profile: str
    stages: dict[str, str]  #: of rules that people have moved
    alerts: list[PackedAlert]
    rows: list[list[Any]]
    taken_back: dict[int, list[int]]  #: place of a row that takes something back -> which numbers count as never said
    missing: str = ""


def packed_row(row: Reading, hidden: frozenset[int]) -> list[Any]:
    """One reading, without the signals that are `hidden`."""
    kept = [(one, value) for one, value in zip(row.ids, row.values, strict=True) if one not in hidden]
    found = row.diagnostics.model_dump(mode="json") if row.diagnostics is not None else None
    return [
        row.boot,
        row.seq,
        row.ts,
        row.received_at,
        [one for one, _ in kept],
        [value for _, value in kept],
        row.day,
        row.car_ts,
        int(row.mark),
        found,
        row.place,
    ]


def reading_of(row: list[Any]) -> Reading:
    """What `packed_row` packed; BadInput when it is none."""
    try:
        boot, seq, ts, received_at, ids, values, day, car_ts, mark, found, place = row
        return Reading(
            vehicle_id=0,
            boot=int(boot),
            seq=int(seq),
            ts=float(ts),
            received_at=float(received_at),
            ids=tuple(int(one) for one in ids),
            values=tuple(float(one) for one in values),
            day=int(day),
            car_ts=None if car_ts is None else float(car_ts),
            mark=Mark(mark),
            diagnostics=None if found is None else Diagnostics.model_validate(found),
            place=None if place is None else int(place),
        )
    except (ValueError, TypeError) as error:
        raise BadInput("PACK", "one of its readings is none") from error


def sealed(pack: Pack) -> tuple[str, str]:
    """The part as it stands inside a page, and the SHA-256 of what it holds."""
    plain = json.dumps(pack.model_dump(mode="json"), sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
    digest = hashlib.sha256(plain).hexdigest()
    text = base64.b64encode(gzip.compress(plain, mtime=0)).decode()
    return f'<script type="application/gzip" id="{FORM}" data-sha256="{digest}">{text}</script>', digest


def opened(page: str) -> tuple[Pack, str, bool]:
    """The part of a page, its SHA-256 as it is, and whether that is the one which the page names."""
    found = _PART.search(page)
    if found is None:
        raise BadInput("PACK", "holds no evidence that a program can read")
    try:
        plain = gzip.decompress(base64.b64decode(found[2]))
        pack = Pack.model_validate_json(plain)
    except (OSError, EOFError, ValueError, ValidationError) as error:
        raise BadInput("PACK", "its evidence cannot be read") from error
    digest = hashlib.sha256(plain).hexdigest()
    return pack, digest, digest == found[1]
