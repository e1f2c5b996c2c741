"""`telltale feed` as a person types it: switched on, mapped, listed, taken back, and what is refused with its field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from store import feed_secrets, feeds
from tests.conftest import Database
from tests.integration.telltale.test_commands import Telltale, create_dealer
from tests.standing import PoolAs

VIN = "WVWZZZ1KZAW000042"


@pytest.fixture
def telltale(database: Database, tmp_path: Path) -> Telltale:
    return Telltale(database, tmp_path)


def refused(telltale: Telltale, *words: str) -> str:
    done = telltale("feed", *words)
    assert done.returncode == 2 and "Traceback" not in done.stderr, done.stderr
    return done.stderr


async def test_a_feed_over_mqtt_from_on_to_off(telltale: Telltale, pool_as: PoolAs) -> None:
    create_dealer(telltale)
    telltale.facts("vehicle", "enrol", VIN, "--profile", "petrol_hatch")
    made = telltale.facts("feed", "add", "ovms", "--root", "fleet/ovms/")
    assert (made["root"], made["topics"]) == ("fleet/ovms", ["fleet/ovms/+/+/metric/#"])
    number = str(made["feed"])
    telltale.facts("feed", "map", number, "hansen/blueleaf", VIN.lower(), "--unit", "pressure=psi")
    (listed,) = telltale.facts("feed", "list")["feeds"]
    assert listed["cars"] == {"hansen/blueleaf": {"vin": VIN, "units": {"pressure": "psi"}}}
    pool = await pool_as("gateway")
    async with pool.acquire() as connection:
        found = await feeds.cars(connection, [(made["feed"], "hansen/blueleaf")])
    assert [(one.vin, dict(one.units)) for one in found.values()] == [(VIN, {"pressure": "psi"})]
    telltale.facts("feed", "map", number, "hansen/blueleaf", "--remove")
    assert telltale.facts("feed", "list")["feeds"][0]["cars"] == {}
    telltale.facts("feed", "off", number)
    assert telltale.facts("feed", "list") == {"feeds": []}
    assert telltale.facts("feed", "add", "ovms", "--root", "fleet/ovms")["feed"] != made["feed"]


async def test_what_opens_a_door_is_told_once_or_sealed(telltale: Telltale, tmp_path: Path, pool_as: PoolAs) -> None:
    create_dealer(telltale)
    made = telltale.facts("feed", "add", "traccar")
    secret = tmp_path / "secret"
    secret.write_text("shared\n")
    signed = telltale.facts("feed", "add", "samsara", "--secret-file", str(secret))
    pool: Any = await pool_as("gateway")
    async with pool.acquire() as connection:
        keyed = await feeds.by_https(connection, made["feed"])
        sealed = await feeds.by_https(connection, signed["feed"])
    assert keyed and keyed.key_hash == feed_secrets.digest(made["header"].removeprefix("Authorization: Bearer "))
    house = telltale.environment["TELLTALE_SECRET"]
    assert sealed and sealed.signing and b"shared" not in sealed.signing
    assert feed_secrets.opened(sealed.signing, ("another", house)) == b"shared"
    assert feed_secrets.opened(sealed.signing, ("another",)) is None


async def test_what_cannot_be_is_refused_by_its_name(telltale: Telltale, tmp_path: Path) -> None:
    create_dealer(telltale)
    number = str(telltale.facts("feed", "add", "teslamate")["feed"])
    assert "is no feed we know" in refused(telltale, "add", "smoke")
    for root in ("teslamate", "teslamate/werkstatt", "vehicles/00", "a/+/b", "#"):
        assert "--root" in refused(telltale, "add", "teslamate", "--root", root)
    assert "--secret-file" in refused(telltale, "add", "samsara")
    assert "--secret-file" in refused(telltale, "add", "jsonl", "--secret-file", str(tmp_path))
    assert "cannot be read" in refused(telltale, "add", "samsara", "--secret-file", str(tmp_path))
    assert "VIN" in refused(telltale, "map", number, "1")
    assert "VIN" in refused(telltale, "map", number, "1", VIN)
    assert "--unit" in refused(telltale, "map", number, "1", VIN, "--unit", "pressure=km")
    for words in (("off", "99"), ("map", "99", "1", VIN), ("map", number, "1", "--remove")):
        assert telltale("feed", *words).returncode != 0
    telltale.facts("feed", "add", "teslamate", "--root", "teslamate2")
