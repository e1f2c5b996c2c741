"""A record has all that it must have, and no bit of it can be another afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from rules.service import handover
from schemas.errors import BadInput
from schemas.handover import Energy, Filled, Handover, HandoverKind, Harm, Mark, Photo, Records, View
from schemas.pickup import LegEvent

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LINE = ((0, 0, 100, 100, 200, 50, 300, 300),)


def filled(**more: Any) -> Filled:
    return Filled(
        **{
            "key": "k" * 8,
            "odometer_km": 41_230,
            "energy_percent": 60,
            "keys": 1,
            "name": "Emma Clarke",
            "signature": LINE,
            **more,
        }
    )


def photo(n: int, view: View) -> Photo:
    return Photo(
        id=n,
        dealer_id=1,
        booking_id=2,
        kind=HandoverKind.RETURN,
        handover_id=9,
        key=f"photo-{n:04}",
        view=view,
        place=f"{n}",
        sha256=f"{n:064x}",
        size=9,
        width=4,
        height=3,
        stored_at=NOW,
    )


PHOTOS = [photo(n, view) for n, view in enumerate(handover.SIDES)]


def record(**more: Any) -> Handover:
    return handover.seal(
        Handover(
            **{
                "id": 9,
                "dealer_id": 1,
                "booking_id": 2,
                "leg_id": 3,
                "loaner_id": None,
                "kind": HandoverKind.RETURN,
                "key": "k" * 8,
                "odometer_km": 41_230,
                "energy": Energy.FUEL,
                "energy_percent": 60,
                "keys": 1,
                "marks": (Mark(x=0.2, y=0.9, harm=Harm.DENT, note="old"),),
                "photos": tuple(one.sha256 for one in PHOTOS),
                "proof": "signature",
                "made_at": NOW,
                "recorded_at": NOW,
                "actor": "staff:4",
                "name": "Emma Clarke",
                "note": "left at the gate",
                "signature": LINE,
                "salt": b"s" * 16,
                "person": b"",
                "hash": b"",
                **more,
            }
        )
    )


def test_a_record_that_nobody_touched_stands() -> None:
    assert handover.stands(record(), PHOTOS) is None


OTHER = {
    "odometer_km": 41_231,
    "energy": Energy.CHARGE,
    "energy_percent": 61,
    "keys": 2,
    "marks": (),
    "photos": (),
    "proof": "code",
    "made_at": NOW.replace(hour=10),
    "recorded_at": NOW.replace(hour=10),
    "actor": "staff:5",
    "name": "Emma Clark",
    "note": "",
    "signature": (),
    "salt": b"t" * 16,
    "leg_id": 4,
    "booking_id": 3,
    "kind": HandoverKind.COLLECT,
    "loaner_id": 5,
    "dealer_id": 2,
    "key": "x" * 8,
    "person": b"p" * 32,
    "hash": b"h" * 32,
}


@pytest.mark.parametrize("field", OTHER)
def test_whatever_is_changed_afterwards_is_seen(field: str) -> None:
    assert handover.stands(record().model_copy(update={field: OTHER[field]}), PHOTOS) is not None


def test_every_field_is_in_the_hash_or_named_here() -> None:
    assert set(Handover.model_fields) - set(OTHER) == {"id"}, "a new field: does the hash cover it?"


def test_another_photo_is_seen() -> None:
    assert handover.stands(record(), [*PHOTOS[:3], photo(7, View.RIGHT)]) and handover.stands(record(), PHOTOS[:3])


def test_of_an_erased_person_the_record_still_stands_and_its_numbers_cannot_change() -> None:
    blank = {"name": "", "note": "", "signature": (), "salt": None, "marks": (Mark(x=0.2, y=0.9, harm=Harm.DENT),)}
    erased = record().model_copy(update=blank)
    assert handover.stands(erased, PHOTOS) is None
    assert handover.stands(erased.model_copy(update={"odometer_km": 1}), PHOTOS)
    with pytest.raises(ValueError, match="erased"):
        handover.seal(erased)


@pytest.mark.parametrize("lost", handover.SIDES)
def test_each_side_of_the_car_must_be_seen(lost: View) -> None:
    views = [side for side in handover.SIDES if side is not lost] + [View.DETAIL] * 3
    with pytest.raises(BadInput, match=lost.value) as refused:
        handover.complete(filled(), views, "123456")
    assert refused.value.field == "photos"


def test_it_is_signed_by_hand_or_by_the_owners_code() -> None:
    assert handover.complete(filled(), handover.SIDES, "012345") == "signature"
    assert handover.complete(filled(signature=(), code=" 012 345"), handover.SIDES, "012345") == "code"
    for wrong in (
        {"signature": ()},
        {"signature": ((1, 1),)},
        {"code": "12345"},
        {"code": "999999"},
        {"code": "٠١٢٣٤٥"},
    ):
        with pytest.raises(BadInput) as refused:
            handover.complete(filled(**wrong), handover.SIDES, "012345")
        assert refused.value.field in ("signature", "code")


def test_the_code_is_six_digits() -> None:
    assert {len(handover.code_of(f"{n:032x}")) for n in range(0, 2**60, 2**52)} == {6}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("odometer_km", -1),
        ("odometer_km", 10**9),
        ("odometer_km", "many"),
        ("energy_percent", 101),
        ("energy_percent", -1),
        ("keys", 10),
        ("name", ""),
        ("name", "a" * 121),
        ("name", "a\x00b"),
        ("key", "short"),
        ("key", "a b c d e f"),
        ("marks", [{"x": 1.1, "y": 0, "harm": "dent"}]),
        ("marks", [{"x": "nan", "y": 0, "harm": "dent"}]),
        ("marks", [{"x": 0, "y": 0, "harm": "rust"}]),
        ("signature", ((1,),)),
        ("signature", ((0, 1001),)),
        ("signature", ((0, 0) * 4_000,)),
        ("made_at", "2026-11-23T09:00:00"),
        ("note", "\ud800"),
        ("energy", "steam"),
    ],
)
def test_what_cannot_be_is_refused(field: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        filled(**{field: value})


def test_where_a_drive_waits_for_its_record() -> None:
    assert [handover.wanted(records, LegEvent.HANDED_OVER) for records in Records] == [
        HandoverKind.RETURN,
        HandoverKind.RETURN,
        None,
    ]
    assert [handover.wanted(records, LegEvent.COLLECTED) for records in Records] == [HandoverKind.COLLECT, None, None]
    assert not any(
        handover.wanted(Records.BOTH, event)
        for event in LegEvent
        if event not in (LegEvent.COLLECTED, LegEvent.HANDED_OVER)
    )
