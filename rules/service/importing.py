"""One line of an owners' list: an owner, a car and what the owner agreed to; or why the line is refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time

from rules.service.numbers import e164
from schemas.consent import Consent
from schemas.errors import BadInput
from schemas.message import Purpose
from schemas.moment import as_utc, zone
from schemas.vehicle import is_vin

COLUMNS = (
    "name",
    "phone",
    "email",
    "language",
    "zone",
    "address",
    "vin",
    "title",
    "plate",
    "profile",
    "consent_safety",
    "consent_service",
    "consent_status",
    "consent_survey",
    "consent_at",
    "consent_source",
    "consent_wording",
)
NEEDED = ("name", "vin", "title", "profile")
PURPOSES = (Purpose.SAFETY, Purpose.SERVICE, Purpose.STATUS, Purpose.SURVEY)
_YES, _NO = {"yes", "y", "1", "true", "ja", "sí", "si"}, {"no", "n", "0", "false", "nein"}


@dataclass(frozen=True, slots=True)
class Line:
    """What one line says, checked."""

    name: str
    phone: str | None  #: E.164
    email: str | None
    language: str | None  #: None: the cell is empty, and an empty cell changes nothing
    zone: str | None
    address: str | None
    vin: str
    title: str
    plate: str | None
    profile: str
    consents: dict[Purpose, bool]  #: an empty cell is neither yes nor no
    consent_at: datetime | None
    consent_source: str
    consent_wording: str


def check_header(header: Collection[str]) -> None:
    """A list with a wrong header is refused as a whole: every line of it would be."""
    missing = [name for name in NEEDED if name not in header]
    if missing:
        raise BadInput("header", f"lacks {', '.join(missing)}; the columns are {', '.join(COLUMNS)}")
    strange = [name for name in header if name not in COLUMNS]
    if strange:
        raise BadInput(
            "header", f"has {', '.join(strange)}, which means nothing here; the columns are {', '.join(COLUMNS)}"
        )


def read_line(
    cells: Mapping[str, str | None],
    *,
    country: str,
    zone_name: str,
    languages: Collection[str],
    profiles: Collection[str],
    now: datetime,
) -> Line:
    """The line, or BadInput naming the cell.

    Numbers are read as of the dealer's country, days as of the dealer's zone.
    """
    line = {name: (cells.get(name) or "").strip() for name in COLUMNS}
    for name in NEEDED:
        if not line[name]:
            raise BadInput(name, "is empty")
    vin = line["vin"].upper()
    if not is_vin(vin):
        raise BadInput("vin", f"{vin} is no VIN: 17 characters, digits and letters without I, O and Q")
    if line["profile"] not in profiles:
        raise BadInput("profile", f"{line['profile']} is not a vehicle model we know: {', '.join(sorted(profiles))}")
    if line["language"] and line["language"] not in languages:
        raise BadInput("language", f"we speak {', '.join(sorted(languages))}")
    if line["zone"]:
        zone(line["zone"])
    if line["email"] and ("@" not in line["email"] or " " in line["email"]):
        raise BadInput("email", f"{line['email']} is no mail address")
    phone = e164(line["phone"], country) if line["phone"] else None
    if phone is None and not line["email"]:
        raise BadInput("phone", "without a phone number or a mail address nobody can be told anything")
    consents, at = _consents(line, zone_name, now)
    return Line(
        name=line["name"],
        phone=phone,
        email=line["email"] or None,
        language=line["language"] or None,
        zone=line["zone"] or None,
        address=line["address"] or None,
        vin=vin,
        title=line["title"],
        plate=line["plate"] or None,
        profile=line["profile"],
        consents=consents,
        consent_at=at,
        consent_source=line["consent_source"],
        consent_wording=line["consent_wording"],
    )


def news(line: Line, known: Mapping[Purpose, Consent]) -> dict[Purpose, bool]:
    """What a line says that is not known: a no always counts, a yes only if it is newer than what the owner said
    last.
    """
    return {
        purpose: given
        for purpose, given in line.consents.items()
        if purpose not in known
        or (
            known[purpose].given != given
            and (not given or line.consent_at is None or line.consent_at > known[purpose].at)
        )
    }


def _consents(cells: Mapping[str, str], zone_name: str, now: datetime) -> tuple[dict[Purpose, bool], datetime | None]:
    """A yes needs its proof: when, where and to which words. A no needs nothing."""
    consents: dict[Purpose, bool] = {}
    for purpose in PURPOSES:
        cell = cells[f"consent_{purpose.value}"].lower()
        if cell and cell not in _YES | _NO:
            raise BadInput(f"consent_{purpose.value}", f"{cell} is neither yes nor no")
        if cell:
            consents[purpose] = cell in _YES
    if not any(consents.values()):
        return consents, None
    for name in ("consent_at", "consent_source", "consent_wording"):
        if not cells[name]:
            raise BadInput(name, "is empty: a consent is only as good as its date, its place and its words")
    at = _moment(cells["consent_at"], zone_name)
    if at > now:
        raise BadInput("consent_at", "lies in the future")
    return consents, at


def _moment(cell: str, zone_name: str) -> datetime:
    """A day alone is its beginning at the dealer's: a STOP of the same day came later, and holds."""
    try:
        day = date.fromisoformat(cell)
    except ValueError:
        pass
    else:
        return as_utc(datetime.combine(day, time(), zone(zone_name)))
    try:
        return as_utc(datetime.fromisoformat(cell))
    except ValueError:
        raise BadInput(
            "consent_at",
            f"{cell} is neither a day, such as 2026-03-01, nor a time with its zone, such as 2026-03-01T09:00+01:00",
        ) from None
