"""What a dongle catches of starts: a piece of a dip, the first word of a morning. Each kind of evidence, at any scale,
however thin: enough of it is told, too little is said to be too little, and health stays silent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from rules.catalogue import RULES
from rules.engine.feed import Feed, moments, unwatched
from schemas.reading import Reading

MODULE, SOOT = (
    "Vehicle.OBD.ControlModuleVoltage",
    "Vehicle.Powertrain.CombustionEngine.DieselParticulateFilter.SootLoad",
)
MODELS = [("petrol_hatch", 1), ("diesel_van", 1), ("truck", 2)]
DAY = 1_440.0  # minutes, as the maker of readings counts


def active(steps: list[Any]) -> set[tuple[str, str]]:
    return {(s.rule, s.severity.value) for s in steps if s.state.value == "active"}


def lived(
    days: int, rest: Callable[[int], float], drop: Callable[[int], float], **way: Any
) -> Iterator[dict[str, Any]]:
    """Drives of half an hour, and what a dongle saw of their starts: `dips` and `words` of all of them, the scale of
    the supply, minutes between samples, volts that are switched on at that day.
    """
    rng, scale = Random(way.get("seed", 1)), way.get("scale", 1)
    for day in range(days):
        for n in range(way.get("starts", 2)):
            at, rested = day * DAY + n * 480.0, rest(day)
            if rng.random() < way.get("words", 0.0):
                volts = rested - way.get("lights", lambda day: 0.15)(day) - rng.uniform(0, 0.1)
                yield {"minutes": at - 0.05, MODULE: scale * volts, "rpm": 0, "speed": 0}
            if rng.random() < way.get("dips", 0.0):
                yield {"minutes": at - 0.01, MODULE: scale * (rested - drop(day) * rng.random()), "rpm": 230}
            for step in range(int(30 / way.get("every", 1.0))):
                said = {"rpm": 1_500 + 90 * (step % 7), "speed": 40 + step % 9, "air": 20}
                yield {
                    "minutes": at + 0.3 + step * way.get("every", 1.0),
                    MODULE: scale * (14.1 + step % 3 / 10),
                    **said,
                }


def told(rows: Iterator[dict[str, Any]], fold: Any, reading: Any, model: str) -> set[tuple[str, str]]:
    return active(fold((reading(row.pop("minutes"), n + 1, **row) for n, row in enumerate(rows)), model))


def well(day: int) -> float:
    return 12.55


@pytest.mark.parametrize("model, scale", MODELS)
@pytest.mark.parametrize("dips", [0.35, 0.7, 1.0])
@pytest.mark.parametrize("every", [0.5, 2.0])
@pytest.mark.parametrize("seed", [1, 2])
def test_pieces_of_ever_deeper_dips_are_a_battery(
    model: str, scale: int, dips: float, every: float, seed: int, fold: Any, reading: Callable[..., Reading]
) -> None:
    rows = lived(90, well, lambda day: 2.0 + day / 25, scale=scale, dips=dips, every=every, seed=seed)
    assert told(rows, fold, reading, model) == {("battery_12v", "soon")}


@pytest.mark.parametrize("model, scale", MODELS)
@pytest.mark.parametrize("dips", [0.35, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_pieces_of_healthy_dips_are_none(
    model: str, scale: int, dips: float, seed: int, fold: Any, reading: Callable[..., Reading]
) -> None:
    rng = Random(seed)
    drops = [4.5 if rng.random() < 0.06 else 2.3 for _ in range(90)]  # a bad start now and then
    assert not told(lived(90, well, lambda day: drops[day], scale=scale, dips=dips, seed=seed), fold, reading, model)


@pytest.mark.parametrize("model, scale", MODELS)
@pytest.mark.parametrize("words", [0.5, 1.0])
@pytest.mark.parametrize("every", [0.5, 2.0])
def test_mornings_that_begin_lower_and_lower_are_a_drain(
    model: str, scale: int, words: float, every: float, fold: Any, reading: Callable[..., Reading]
) -> None:
    def rest(day: int) -> float:
        return 12.55 - 0.06 * max(0, min(6, day - 25))

    rows = lived(45, rest, lambda day: 2.3, scale=scale, words=words, every=every)
    assert told(rows, fold, reading, model) == {("parasitic_drain", "soon")}


@pytest.mark.parametrize("model, scale", MODELS)
def test_what_is_switched_on_by_the_season_is_no_drain(
    model: str, scale: int, fold: Any, reading: Callable[..., Reading]
) -> None:
    def lights(day: int) -> float:
        return 0.1 if day < 40 else 0.27  # a fan, a heated pane, lamps

    rows = lived(80, lambda day: 12.5 + 0.05 * (day % 3), lambda day: 2.3, scale=scale, words=0.8, lights=lights)
    assert not told(rows, fold, reading, model)


def lacking(rows: Iterator[dict[str, Any]], reading: Callable[..., Reading], profiles: Any) -> dict[str, str]:
    said = [reading(row.pop("minutes"), n + 1, **row) for n, row in enumerate(rows)]
    shown = list(moments((row.ts, row.ids, row.values) for row in said if row.ts >= said[-1].ts - 14 * 86_400.0))
    heard = {MODULE, "Vehicle.Powertrain.CombustionEngine.Speed", "Vehicle.Speed"}
    return {one.rule: one.words for one in unwatched(RULES, profiles["petrol_hatch"], heard, Feed(shown))}


def test_too_few_of_them_are_said_to_be_too_few(reading: Callable[..., Reading], profiles: Any) -> None:
    found = lacking(lived(20, well, lambda day: 2.3, starts=1, dips=0.15), reading, profiles)
    assert found["battery_12v"].startswith("control module voltage while the starter turns, of 5 starts in two weeks; ")
    assert found["parasitic_drain"] == (
        "control module voltage before the engine turns, on 5 days of two weeks; this feed brought none"
    )
    enough = lacking(lived(20, well, lambda day: 2.3, dips=0.8, words=0.8), reading, profiles)
    assert not {"battery_12v", "parasitic_drain"} & set(enough)


def test_of_a_car_that_is_new_nothing_is_said_yet(reading: Callable[..., Reading], profiles: Any) -> None:
    found = lacking(lived(5, well, lambda day: 2.3, starts=1, dips=0.15), reading, profiles)
    assert "parasitic_drain" not in found


@pytest.mark.parametrize("model, scale", MODELS)
def test_too_few_of_them_are_not_judged(model: str, scale: int, fold: Any, reading: Callable[..., Reading]) -> None:
    """One start in two weeks was seen, and each was deep: nobody can say that the battery is weak today."""
    rows = lived(120, well, lambda day: 4.5 if day % 7 == 0 else 0.0, scale=scale, starts=1, dips=1.0)
    seldom = (row for row in rows if row["rpm"] != 230 or row["minutes"] % (14 * DAY) > 13.9 * DAY)
    assert not told(seldom, fold, reading, model)


@pytest.mark.parametrize(
    "floor, apart_km, told_so", [(10, 1, False), (40, 1, False), (62, 1, True), (86, 1, True), (86, 20, True)]
)
def test_a_filter_that_is_left_half_full_by_each_cleaning(
    floor: int, apart_km: int, told_so: bool, fold: Any, reading: Callable[..., Reading]
) -> None:
    """Filled in 800 km: its runs are short only when little room is left, what it is left with shows before."""
    rows, soot, burning, km = [], 50.0, False, 0.0
    for n in range(9_000):
        km += 1.0
        least = min(floor, 40 + n / 100) if floor > 40 else floor
        burning = (burning or soot >= 100) and soot > least
        soot = max(least, soot - 4) if burning else soot + 1 / 8
        if not n % apart_km:
            rows.append(reading(n * 5, n + 1, odometer=5e7 + 1_000 * km, **{SOOT: soot}))
    assert (("dpf_regeneration", "soon") in active(fold(rows, "diesel_van"))) is told_so
