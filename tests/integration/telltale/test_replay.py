"""An evidence pack over rows that a real gateway wrote: judged again without a database, and what was tampered with is
said.
"""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from actions import evidence
from rules.service.wording import Wording
from schemas.errors import BadInput, NotFound
from schemas.keeping import WHERE
from schemas.pack import opened, sealed
from schemas.signal import BY_PATH
from telltale import data
from telltale.commands import replay
from tests.integration.gateway.conftest import judge, world  # noqa: F401 - the gateway's own fixtures
from tests.integration.gateway.world import now, until
from tests.standing import Clock, PoolAs, house_of

COOLANT = "Vehicle.Powertrain.CombustionEngine.EngineCoolant.Temperature"
CRANK = "Vehicle.LowVoltageBattery.CrankingVoltageMin"
AIR = "Vehicle.Exterior.AirTemperature"
HERE = {"Vehicle.CurrentLocation.Latitude": 53.55, "Vehicle.CurrentLocation.Longitude": 9.99}


async def a_case(world):  # noqa: F811
    """A hot engine and weak starts, in one case; the car says where it is."""
    await world.start()
    car = await world.car()
    begin = now() - timedelta(hours=30, microseconds=123)
    for n in range(40):
        signals = {COOLANT: 116.3 if 5 <= n < 20 else 88.1, "Vehicle.Speed": 71.7, **HERE}
        car.say(car.body(ts=begin + timedelta(minutes=n, microseconds=137 * n), signals=signals))
    for n in range(4):
        at = begin + timedelta(hours=20 + n, microseconds=901)
        car.say(car.body(ts=at, signals={CRANK: 8.9 + n / 10, AIR: 11.3}))
    await until(lambda: car.acked and car.acked[-1]["upto"] == 44)
    case = await world.pool.fetchval(
        "INSERT INTO cases (dealer_id, vehicle_id, state, severity, title, origin, opened_at, changed_at) "
        "VALUES ($1, $2, 'open', 'soon', 'Hot', 'alert', $3, $3) RETURNING id",
        world.dealer,
        car.id,
        now(),
    )
    await world.pool.execute("UPDATE alerts SET case_id = $2 WHERE vehicle_id = $1", car.id, case)
    return car, case


@pytest.fixture
async def acting(world, pool_as: PoolAs):  # noqa: F811
    house = await house_of(pool_as, Clock(now()), Wording(data.texts()), size=2, owner_size=1)
    return house.acting(world.dealer, "staff:1")


async def test_another_machine_reaches_the_same_verdicts_without_a_database(world, acting, tmp_path):  # noqa: F811
    _, case = await a_case(world)
    made, part, digest = await evidence.pack(acting, case)
    assert len(made.rows) == max(step["place"] for one in made.alerts for step in one.steps)
    assert {one.rule for one in made.alerts} == {"coolant_hot", "battery_12v"}
    where = {BY_PATH[path].id for path in WHERE}
    assert not any(where & set(row[4]) for row in made.rows), "nobody else needs to know where the car was"
    file = tmp_path / "pack.html"
    file.write_text(f"<html><p>Evidence</p>{part}</html>")
    answer = CliRunner().invoke(replay.app, [str(file), "--json"])
    facts = json.loads(answer.stdout[answer.stdout.index("{") :])
    assert answer.exit_code == 0 and facts["same_verdict"] is True and facts["as_it_was_made"], facts
    assert facts["sha256"] == digest and facts["rows_folded"] == len(made.rows) and len(facts["alerts"]) == 2
    told = await world.pool.fetchrow("SELECT * FROM history WHERE noun = 'case' AND new = 'evidence handed out'")
    assert told["reason"] == f"SHA-256 {digest}" and told["subject_id"] == case
    again, _, _ = await evidence.pack(acting, case)
    assert again.model_copy(update={"made_at": ""}) == made.model_copy(update={"made_at": ""})


async def test_one_changed_reading_is_said(world, acting):  # noqa: F811
    _, case = await a_case(world)
    made, part, _ = await evidence.pack(acting, case)
    rows = [list(row) for row in made.rows]
    weak = next(n for n, row in enumerate(rows) if BY_PATH[CRANK].id in row[4])
    rows[weak][5] = [
        12.4 if one == BY_PATH[CRANK].id else value for one, value in zip(rows[weak][4], rows[weak][5], strict=True)
    ]
    forged, _ = sealed(made.model_copy(update={"rows": rows}))  # by somebody who reckons the hash anew
    facts = replay.of(forged)
    assert facts["as_it_was_made"] and facts["same_verdict"] is False
    assert "folded again" in next(one["differs"] for one in facts["alerts"] if one["rule"] == "battery_12v")
    digest = re.search(r'data-sha256="(\w+)"', part)[1]
    careless = re.sub(r'data-sha256="\w+"', f'data-sha256="{digest}"', forged)  # and by somebody who does not
    assert replay.of(careless)["as_it_was_made"] is False and replay.of(careless)["same_verdict"] is False
    calm = [list(row) for row in made.rows]
    calm[0][5] = [value + 0.1 for value in calm[0][5]]  # it moves no verdict: the hash alone tells
    quiet, _ = sealed(made.model_copy(update={"rows": calm}))
    assert replay.of(quiet)["sha256"] != digest
    assert replay.of(re.sub(r'data-sha256="\w+"', f'data-sha256="{digest}"', quiet))["same_verdict"] is False


async def test_what_is_not_whole_is_neither_confirmed_nor_accused(world, acting, monkeypatch):  # noqa: F811
    car, case = await a_case(world)
    monkeypatch.setattr(evidence, "MOST_ROWS", 10)
    made, part, _ = await evidence.pack(acting, case)
    assert len(made.rows) == 10 and "too many for a file" in made.missing
    assert replay.of(part)["same_verdict"] is None
    monkeypatch.undo()
    await world.pool.execute("DELETE FROM readings WHERE vehicle_id = $1 AND place < 30", car.id)
    _, part, _ = await evidence.pack(acting, case)
    facts = replay.of(part)
    assert facts["same_verdict"] is None and "first 29 messages are not kept" in facts["alerts"][0]["differs"]


async def test_no_pack_is_made_of_what_is_not_there(world, acting):  # noqa: F811
    with pytest.raises(NotFound):
        await evidence.pack(acting, 10**9)
    car = await world.car(connect=False)
    case = await world.pool.fetchval(
        "INSERT INTO cases (dealer_id, vehicle_id, state, severity, title, origin, opened_at, changed_at) "
        "VALUES ($1, $2, 'open', 'soon', 'Rang', 'call', $3, $3) RETURNING id",
        world.dealer,
        car.id,
        now(),
    )
    with pytest.raises(BadInput, match="no alert"):
        await evidence.pack(acting, case)
    for page in (
        "",
        "<html></html>",
        '<script type="application/gzip" id="telltale-evidence-1" data-sha256="' + "0" * 64 + '">AAAA</script>',
    ):
        with pytest.raises(BadInput):
            opened(page)
