"""Whoever floods us, by whatever means, makes few rows; and every refused message is either a row or counted."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from gateway.fleet.car import Car
from gateway.intake.batch import Batch
from gateway.intake.rejections import Rejections
from schemas.reading import Refusal, Refused
from schemas.vehicle import bucket_of, topic
from store.vehicles import Identity

NOW = datetime(2026, 11, 21, 10, 15, tzinfo=UTC)
LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ0123456789"


def refused(vin: str, reason: Refusal = Refusal.UNKNOWN_VEHICLE, payload: bytes = b"{}") -> Refused:
    return Refused(vin, None, topic(vin, "up/telemetry"), payload, reason, "why", NOW)


def car(n: int) -> Car:
    vin = f"TTB1H00LDP{n:07d}"
    return Car(
        Identity(id=n, vin=vin, dealer_id=1, profile="petrol_hatch", secret_hash=None, revoked_at=None), bucket_of(vin)
    )


class Ward:
    """What came into quarantine, and what was counted."""

    def __init__(self) -> None:
        self.rejections, self.rows, self.tallies = (
            Rejections(),
            list[tuple[int | None, Refused, int]](),
            Counter[tuple[str, str]](),
        )

    def hear(self, text: list[tuple[Car | None, Refused]], now: float) -> None:
        batch = Batch([], NOW)
        for who, one in text:
            self.rejections.refuse(batch, who, one, now)
        self.rejections.tick(batch, now)
        self.rows += batch.refused
        for (_, name, subject), row in batch.tallies.items():
            self.tallies[(name, subject)] += row[3]

    def finish(self, now: float) -> None:
        self.hear([], now + 4_000.0)


def test_inventing_vins_makes_no_rows() -> None:
    """42,836 messages of as many unknown VINs, some a second for an hour: some samples of each bucket are kept, all are
    counted.
    """
    dice, ward = random.Random(1), Ward()
    for second in range(3_600):
        ward.hear(
            [(None, refused("TST" + "".join(dice.choices(LETTERS, k=14)), payload=b"x" * 5_000)) for _ in range(12)],
            float(second),
        )
    ward.finish(3_600.0)
    assert len(ward.rows) <= 16 * (20 + 60 + 13) and sum(times for _, _, times in ward.rows) == 3_600 * 12
    assert max(len(one.payload) for _, one, _ in ward.rows) <= 1_000
    assert {subject for name, subject in ward.tallies if name == "flood"} <= {
        f"unknown cars, bucket {n:02d}" for n in range(16)
    }
    kept = sum(one.reason is not Refusal.FLOOD for _, one, _ in ward.rows)
    assert sum(ward.tallies.values()) == 3_600 * 12 - kept


def test_one_unknown_vin_leaves_room_for_samples_of_the_others() -> None:
    ward = Ward()
    loud = "TTB1H00LDP0000089"
    quiet = [vin for vin in (f"TTB1H00LDP{n:07d}" for n in range(90, 400)) if bucket_of(vin) == bucket_of(loud)][:5]
    ward.hear([(None, refused(loud))] * 1_000 + [(None, refused(vin)) for vin in quiet], 0.0)
    assert Counter(one.vin for _, one, _ in ward.rows) == {loud: 3, **dict.fromkeys(quiet, 1)}


def test_one_kind_of_poison_does_not_hide_another() -> None:
    ward, bad = Ward(), car(1)
    ward.hear([(bad, refused(bad.vin, Refusal.NOT_JSON))] * 500 + [(bad, refused(bad.vin, Refusal.ODOMETER))], 0.0)
    assert Counter(one.reason for _, one, _ in ward.rows) == {Refusal.NOT_JSON: 20, Refusal.ODOMETER: 1}


def test_a_car_that_is_wrong_all_day_fills_no_disk() -> None:
    ward, bad = Ward(), car(1)
    for second in range(0, 86_400, 10):
        ward.hear([(bad, refused(bad.vin, Refusal.OUT_OF_RANGE, b"x" * 65_536))] * 10, float(second))
    ward.finish(86_400.0)
    assert sum(times for _, _, times in ward.rows) == 86_400
    assert sum(len(one.payload) for _, one, _ in ward.rows) < 10e6 and len(ward.rows) < 200  # 5.6 GB were sent


def test_a_whole_fleet_with_a_new_firmware_makes_samples() -> None:
    ward, fleet = Ward(), [car(n) for n in range(20_000)]
    for minute in range(3):
        ward.hear([(one, refused(one.vin, Refusal.NOT_TELEMETRY)) for one in fleet], minute * 60.0)
    ward.finish(180.0)
    kept = [one for _, one, _ in ward.rows if one.reason is not Refusal.FLOOD]
    assert len(kept) <= 16 * (500 + 20) and len(ward.rows) - len(kept) <= 16 * 180
    assert len(kept) + sum(times for (name, _), times in ward.tallies.items() if name == "flood") == 60_000


KINDS = [reason for reason in Refusal if reason is not Refusal.FLOOD]


@given(
    st.lists(
        st.tuples(st.floats(0, 20_000), st.integers(0, 3), st.sampled_from(KINDS), st.integers(0, 70_000)), max_size=400
    )
)
def test_every_refused_message_is_a_row_or_counted(text: list[tuple[float, int, Refusal, int]]) -> None:
    ward, fleet = Ward(), [None, *(car(n) for n in range(1, 4))]
    for now, n, reason, size in sorted(text, key=lambda one: one[0]):
        who = fleet[n]
        ward.hear([(who, refused(who.vin if who else f"TTB1H00LDP{size:07d}", reason, b"x" * size))], now)
    kept = sum(one.reason is not Refusal.FLOOD for _, one, _ in ward.rows)
    counted = sum(times for (name, _), times in ward.tallies.items() if name in ("flood", "unknown_signal"))
    assert kept + counted == len(text)
