"""An owners' list: what is taken, and the words with which the rest is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from rules.service.importing import COLUMNS, check_header, read_line
from schemas.errors import BadInput
from schemas.message import Purpose

NOW = datetime(2026, 5, 4, 9, 0, tzinfo=UTC)
GOOD = {
    "name": "Erika Beispiel",
    "phone": "0170 1234567",
    "email": "",
    "language": "",
    "zone": "",
    "address": "Hafenstr. 3, Kiel",
    "vin": "wvwzzz1kzaw000123",
    "title": "VW Golf",
    "plate": "KI-EB 12",
    "profile": "petrol_hatch",
    "consent_safety": "yes",
    "consent_service": "ja",
    "consent_status": "",
    "consent_survey": "no",
    "consent_at": "2026-03-01T09:00+01:00",
    "consent_source": "order form",
    "consent_wording": "You may text me about my car.",
}


def read(**changes: str):  # type: ignore[no-untyped-def]
    return read_line(
        {**GOOD, **changes},
        country="DE",
        zone_name="Europe/Berlin",
        languages=("de", "en", "es"),
        profiles=("petrol_hatch",),
        now=NOW,
    )


def test_a_good_line_is_read_as_of_the_dealers_country_and_an_empty_cell_says_nothing() -> None:
    line = read()
    assert (line.phone, line.language, line.zone, line.vin) == ("+491701234567", None, None, "WVWZZZ1KZAW000123")
    assert line.consents == {Purpose.SAFETY: True, Purpose.SERVICE: True, Purpose.SURVEY: False}
    assert line.consent_at == datetime(2026, 3, 1, 8, 0, tzinfo=UTC)


def test_a_consent_of_a_day_is_as_old_as_that_day_at_the_dealer_s() -> None:
    assert read(consent_at="2026-03-01").consent_at == datetime(2026, 2, 28, 23, 0, tzinfo=UTC)
    assert read(consent_at="2026-05-04", zone="America/New_York").consent_at == datetime(
        2026, 5, 3, 22, 0, tzinfo=UTC
    ), "today, wherever the owner is"
    with pytest.raises(BadInput, match="future"):
        read(consent_at="2026-05-05")


@pytest.mark.parametrize(
    "cell, value",
    [
        ("name", ""),
        ("vin", "IOQ"),
        ("vin", ""),
        ("profile", "rocket"),
        ("language", "fr"),
        ("zone", "Mars/Olympus"),
        ("phone", "12"),
        ("phone", "call me"),
        ("email", "at home"),
        ("consent_safety", "perhaps"),
        ("consent_at", "yesterday"),
        ("consent_at", "2026-03-01T09:00"),
        ("consent_at", "2026-02-30"),
        ("consent_at", "2027-03-01T09:00Z"),
        ("consent_source", ""),
        ("consent_wording", ""),
    ],
)
def test_a_bad_cell_is_named(cell: str, value: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(**{cell: value})
    assert caught.value.field == cell


def test_somebody_who_cannot_be_reached_is_refused() -> None:
    with pytest.raises(BadInput, match="nobody can be told"):
        read(phone="")


def test_the_header_is_checked_first() -> None:
    check_header(COLUMNS)
    with pytest.raises(BadInput, match="lacks vin"):
        check_header([name for name in COLUMNS if name != "vin"])
    with pytest.raises(BadInput, match="colour"):
        check_header([*COLUMNS, "colour"])
