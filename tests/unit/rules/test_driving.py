"""May this car be driven? What is decided and what its owner reads are one thing, in every language."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from typing import Any

import pytest

from rules.catalogue import RULES
from rules.service.driving import forbids, needs_truck, stays, usual, ways
from rules.service.wording import Wording
from schemas.booking import Booking, BookingKind, BookingState
from schemas.pickup import Leg, LegKind, LegState
from schemas.verdict import Severity
from telltale import data

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
WORDING = Wording(data.texts())
#: The words with which each language says that a car stays where it is.
FORBIDS = {
    "en": ("do not drive",),
    "de": ("nicht weiterfahren", "nicht fahren"),
    "es": ("no conduzca", "no siga", "no lo conduzca"),
    "ar": ("عدم متابعة القيادة", "عدم القيادة"),
}


def booking(kind: str = "pickup", state: str = "agreed") -> Booking:
    return Booking(
        id=7,
        dealer_id=1,
        case_id=5,
        vehicle_id=1,
        kind=BookingKind(kind),
        state=BookingState(state),
        starts_at=NOW,
        ends_at=NOW,
        wall_start="2026-11-23T10:00",
        zone="Europe/Berlin",
        address="a",
        loaner_id=None,
        ready_by=None,
        last_word_at=None,
        made_at=NOW,
    )


def leg(kind: str, state: str) -> Leg:
    return Leg(
        id=9,
        dealer_id=1,
        booking_id=7,
        kind=LegKind(kind),
        state=LegState(state),
        driver_id=2,
        slot_id=1,
        address="a",
        starts_at=NOW,
        ends_at=NOW,
        changed_at=NOW,
    )


@pytest.mark.parametrize("language", WORDING.languages)
@pytest.mark.parametrize("rule", [rule.name for rule in RULES] + [None])
def test_who_reads_do_not_drive_on_is_not_asked_to_drive(language: str, rule: str | None) -> None:
    for severity in Severity:
        text = WORDING.drive(language, rule, severity.value)
        assert any(words in text for words in FORBIDS[language]) == forbids(rule, severity), f"{severity.value}: {text}"


def test_of_several_faults_the_most_urgent_that_forbids_it_is_named() -> None:
    found = stays(
        [
            ["battery_12v", "", "now", "9.1 V"],
            ["oil_pressure", "", "soon", "60 %"],
            ["tyre_low", "front_left", "now", "120 kPa"],
        ]
    )
    assert found is not None and found.because == "it must not be driven: 120 kPa"
    assert (
        stays([["battery_12v", "", "now", "9.1 V"], ["tyre_low", "", "soon", "190 kPa"]]) is None and stays([]) is None
    )


def test_such_a_car_is_towed_and_any_other_may_be() -> None:
    found = stays([["tyre_low", "", "now", "120 kPa"]])
    assert (usual(found), ways(found)) == (BookingKind.TOW, (BookingKind.TOW, BookingKind.MOBILE_REPAIR))
    assert usual(None) is BookingKind.PICKUP and set(ways(None)) == set(BookingKind)


@pytest.mark.parametrize(
    "kind, state, wanted",
    [
        *itertools.product(("pickup",), ("planned", "on_the_way"), (True,)),
        *itertools.product(("pickup",), ("collected", "at_workshop"), (False,)),
        ("tow", "planned", False),
        ("mobile_repair", "planned", False),
    ],
)
def test_a_visit_needs_a_truck_until_we_have_the_car(kind: str, state: str, wanted: Any) -> None:
    found = stays([["tyre_low", "", "now", "120 kPa"]])
    assert needs_truck(booking(kind=kind), [leg("collect", state)], found) is wanted
    assert not needs_truck(booking(kind=kind), [leg("collect", state)], None)
    assert not needs_truck(booking(kind="drop_off", state="arrived"), [], found) and needs_truck(
        booking(kind="drop_off"), [], found
    )
