"""The commands of a real dealer, as a person types them: from an empty database to people, cars and consent."""

from __future__ import annotations

import json
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rules.service.importing import COLUMNS
from schemas.credentials import mosquitto_hash
from tests import command_line
from tests.conftest import Database
from tests.standing import PoolAs

ROOT = Path(__file__).resolve().parents[3]
HEADER = "name,phone,vin,title,plate,profile,language,consent_service,consent_at,consent_source,consent_wording\n"
GOOD = (
    "Erika Beispiel,0176 04069020,WVWZZZ1KZAW000123,VW Golf,HH-EB 12,petrol_hatch,de,yes,2026-03-01T09:00+01:00,order "
    'form,"You may text me."\n'
)


class Telltale:
    """`telltale …` in a process of its own, on the test's database."""

    def __init__(self, database: Any, home: Path) -> None:
        self.environment = {
            **os.environ,
            "DATABASE_URL": database.url,
            "TELLTALE_SECRET": database.secret,
            "TELLTALE_HOME": str(home),
        }

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return command_line.telltale(*arguments, env=self.environment)

    def facts(self, *arguments: str, status: int = 0) -> dict[str, Any]:
        done = self(*arguments, "--json")
        assert done.returncode == status, done.stderr
        assert len(done.stdout.strip().splitlines()) == 1
        answer: dict[str, Any] = json.loads(done.stdout)
        return answer


@pytest.fixture
def telltale(database: Database, tmp_path: Path) -> Telltale:
    return Telltale(database, tmp_path)


def create_dealer(telltale: Telltale) -> dict[str, Any]:
    return telltale.facts(
        "dealer",
        "create",
        "Autohaus Nord",
        "--zone",
        "Europe/Berlin",
        "--country",
        "de",
        "--phone",
        "040 66969100",
        "--address",
        "Hafenstraße 1, Hamburg",
        "--language",
        "de",
        "--bays",
        "3",
        "--loaners",
        "1",
    )


async def test_a_dealer_its_people_its_owners_and_their_cars(
    telltale: Telltale, tmp_path: Path, pool_as: PoolAs
) -> None:
    dealer = create_dealer(telltale)
    assert telltale.facts("staff", "invite", "a@nord.example", "--name", "Anna", "--role", "advisor")[
        "link"
    ].startswith("http")
    telltale.facts(
        "staff", "invite", "d@nord.example", "--name", "Dirk", "--role", "driver", "--phone", "+4917604069021"
    )
    assert telltale.facts("key", "create", "dealer management system")["key"].startswith("tk_")

    listed = tmp_path / "owners.csv"
    listed.write_text(
        HEADER + GOOD + "Nobody,,WVWZZZ1KZAW000124,VW Polo,,petrol_hatch,,,,,\n" + GOOD.replace("000123", "00012I")
    )
    report = telltale.facts("owners", "import", str(listed), status=1)
    assert (report["lines"], report["owners_added"], report["vehicles_added"]) == (3, 1, 1)
    assert [(one["line"], one["field"]) for one in report["refused"]] == [(3, "phone"), (4, "vin")]

    pool = await pool_as("admin")
    owner = await pool.fetchrow("SELECT id, phone, language FROM owners")
    assert (owner["phone"], owner["language"]) == ("+4917604069020", "de")
    assert await pool.fetchval("SELECT given FROM consents WHERE owner_id = $1 AND purpose = 'service'", owner["id"])
    assert await pool.fetchval("SELECT owner_id FROM vehicles") == owner["id"]
    assert (
        await pool.fetchval(
            "SELECT count(*) FROM resources WHERE dealer_id = $1 AND kind IN ('bay', 'loaner', 'driver')",
            dealer["dealer"],
        )
        == 5
    )

    again = telltale.facts("owners", "import", str(listed), status=1)
    assert (again["owners_added"], again["vehicles_added"]) == (0, 0)
    assert await pool.fetchval("SELECT count(*) FROM consents") == 1


async def test_the_sample_list_of_the_docs_is_taken_whole(telltale: Telltale, pool_as: PoolAs) -> None:
    create_dealer(telltale)
    sample = ROOT / "docs" / "howto" / "owners.csv"
    assert tuple(sample.read_text().splitlines()[0].split(",")) == COLUMNS
    facts = telltale.facts("owners", "import", str(sample))
    assert (facts["owners_added"], facts["vehicles_added"], facts["refused"]) == (3, 3, [])
    pool = await pool_as("admin")
    given = await pool.fetch("SELECT DISTINCT at AT TIME ZONE 'Europe/Berlin' AS at FROM consents ORDER BY at")
    assert [row["at"].isoformat() for row in given] == ["2025-03-02T00:00:00", "2025-03-05T10:30:00"]


async def test_people_are_given_roles_let_go_and_taken_back_but_not_the_last_manager(
    telltale: Telltale, pool_as: PoolAs
) -> None:
    create_dealer(telltale)
    telltale.facts("staff", "invite", "m@nord.example", "--name", "Ruth", "--role", "manager")
    pool = await pool_as("admin")
    await pool.execute("UPDATE staff SET joined_at = created_at")
    for arguments in (("disable", "m@nord.example"), ("role", "m@nord.example", "advisor")):
        refused = telltale("staff", *arguments)
        assert refused.returncode == 2 and "last manager" in refused.stderr
    first = telltale.facts("staff", "invite", "d@nord.example", "--name", "Dirk", "--role", "driver")
    assert telltale.facts("staff", "role", "d@nord.example", "technician")["role"] == "technician"
    assert telltale.facts("staff", "disable", "d@nord.example")["disabled_at"] is not None
    assert telltale.facts("staff", "enable", "d@nord.example")["disabled_at"] is None
    again = telltale.facts("staff", "invite", "d@nord.example", "--name", "Dirk", "--role", "driver")
    assert again["staff"] == first["staff"] and again["link"] != first["link"]
    assert {one["email"]: one["role"] for one in telltale.facts("staff", "list")["staff"]} == {
        "m@nord.example": "manager",
        "d@nord.example": "driver",
    }
    moves = [
        row["new"]
        for row in await pool.fetch("SELECT new FROM history WHERE noun = 'staff' AND actor = 'command' ORDER BY id")
    ]
    assert moves == ["invited", "invited", "technician", "disabled", "enabled", "driver", "invited"]


async def test_who_has_lost_everything_is_helped_by_commands(telltale: Telltale, pool_as: PoolAs) -> None:
    create_dealer(telltale)
    person = telltale.facts("staff", "invite", "m@nord.example", "--name", "Ruth", "--role", "manager")
    assert "new invitation" in telltale("staff", "new-password", "m@nord.example").stderr
    pool = await pool_as("admin")
    await pool.execute("UPDATE staff SET joined_at = created_at")
    assert "/reset/" in telltale.facts("staff", "new-password", "m@nord.example")["link"]
    assert "no second factor" in telltale("staff", "forget-second-factor", "m@nord.example").stderr
    await pool.execute(
        "INSERT INTO authenticators (dealer_id, staff_id, secret, created_at) VALUES ($1, $2, 'x', '2026-11-02')",
        person["dealer"],
        person["staff"],
    )
    await pool.execute(
        "INSERT INTO sessions (id, dealer_id, staff_id, created_at, expires_at) "
        "VALUES ('x', $1, $2, '2026-11-02', '2099-11-02')",
        person["dealer"],
        person["staff"],
    )
    telltale.facts("staff", "forget-second-factor", "m@nord.example")
    assert await pool.fetchval("SELECT (SELECT count(*) FROM authenticators) + (SELECT count(*) FROM sessions)") == 0


async def test_a_key_says_what_it_may_do_and_until_when_and_is_revoked(telltale: Telltale) -> None:
    create_dealer(telltale)
    made = telltale.facts(
        "key", "create", "till", "--scope", "cases:read", "--scope", "owners:write", "--expires", "90d"
    )
    assert made["scopes"] == ["cases:read", "owners:write"] and made["expires_at"]
    assert telltale.facts("key", "create", "for ever", "--expires", "never")["expires_at"] is None
    assert telltale.facts("key", "create", "dated", "--expires", "2099-01-31")["expires_at"].startswith("2099-01-31")
    for wrong, result in (
        (("--scope", "people:write"), "no scope"),
        (("--expires", "soon"), "90d"),
        (("--expires", "2001-01-01"), "past"),
    ):
        done = telltale("key", "create", "x", *wrong)
        assert done.returncode == 2 and result in done.stderr
    assert telltale.facts("key", "revoke", "till") == {"revoked": "till"}
    listed = telltale.facts("key", "list")["keys"]
    assert [one["label"] for one in listed] == ["dated", "for ever"] and listed[0]["last_used_at"] is None


async def test_a_dry_run_leaves_nothing(telltale: Telltale, tmp_path: Path, pool_as: PoolAs) -> None:
    create_dealer(telltale)
    listed = tmp_path / "owners.csv"
    listed.write_text("\ufeff" + HEADER.replace(",", ";") + GOOD.replace(",", ";"))
    assert telltale.facts("owners", "import", str(listed), "--dry-run")["owners_added"] == 1
    assert await (await pool_as("admin")).fetchval("SELECT count(*) FROM owners") == 0


async def test_enrolling_gives_credentials_and_topics_and_revoking_takes_them(
    telltale: Telltale, pool_as: PoolAs
) -> None:
    create_dealer(telltale)
    vin = "WVWZZZ1KZAW000123"
    unknown = telltale("vehicle", "enrol", vin)
    assert unknown.returncode == 2
    assert "--profile" in unknown.stderr
    card = telltale.facts("vehicle", "enrol", vin, "--profile", "petrol_hatch")
    assert card["vin"] == card["username"] == vin
    assert card["topics"]["publish"][0] == f"vehicles/{card['bucket']}/{vin}/up/telemetry"
    pool = await pool_as("admin")
    first = await pool.fetchval("SELECT secret_hash FROM vehicles WHERE vin = $1", vin)
    assert telltale.facts("vehicle", "enrol", vin)["password"] != card["password"]
    assert await pool.fetchval("SELECT secret_hash FROM vehicles WHERE vin = $1", vin) != first
    assert telltale.facts("vehicle", "revoke", vin)["revoked"] is True
    assert await pool.fetchval("SELECT revoked_at IS NOT NULL FROM vehicles WHERE vin = $1", vin)


@pytest.mark.parametrize(
    "arguments, text",
    [
        (
            (
                "dealer",
                "create",
                "X",
                "--zone",
                "Mars/Olympus",
                "--country",
                "DE",
                "--phone",
                "040 66969100",
                "--address",
                "A",
            ),
            "zone",
        ),
        (
            (
                "dealer",
                "create",
                "X",
                "--zone",
                "Europe/Berlin",
                "--country",
                "DE",
                "--phone",
                "nope",
                "--address",
                "A",
            ),
            "phone",
        ),
        (
            (
                "dealer",
                "create",
                "X",
                "--zone",
                "Europe/Berlin",
                "--country",
                "DE",
                "--phone",
                "040 66969100",
                "--address",
                "A",
                "--hours",
                "often",
            ),
            "--hours",
        ),
        (("key", "create", "x"), "there is no dealer yet"),
        (("vehicle", "enrol", "SHORT"), "VIN"),
        (("rule", "stage", "no_such_rule", "live", "--reason", "x"), "there is no rule"),
    ],
)
def test_what_cannot_be_is_one_line_and_status_2(telltale: Telltale, arguments: tuple[str, ...], text: str) -> None:
    done = telltale(*arguments)
    assert done.returncode == 2
    assert text in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


async def test_a_rule_moves_between_its_stages_with_a_reason(telltale: Telltale) -> None:
    telltale.facts("rule", "stage", "tyre_leak", "shadow", "--reason", "trying a smaller hold")
    assert telltale.facts("rule", "list")["tyre_leak"] == {"stage": "shadow", "reason": "trying a smaller hold"}


async def test_the_demos_people_are_made_once(pool_as: PoolAs) -> None:
    from datetime import UTC, datetime

    from telltale import demo_data

    pool = await pool_as("office")

    def clock() -> datetime:
        return datetime(2026, 11, 23, 7, 30, tzinfo=UTC)

    first = await demo_data.prepare(pool, demo_data.CAST, "key", clock, 1)
    assert await demo_data.prepare(pool, demo_data.CAST, "key", clock, 1) == first
    assert await pool.fetchval("SELECT count(*) FROM owners") == len(first) == 8


async def test_days_of_readings_are_shown_and_brought_back(telltale: Telltale, pool_as: PoolAs) -> None:
    admin = await pool_as("admin")
    today = int(datetime.now(UTC).timestamp() // 86_400)
    for day in range(today - 405, today - 398):
        await admin.execute("SELECT open_day($1)", day)
    assert telltale.facts("retention")["refused"] == "no reading tells what day it is"
    assert len(telltale.facts("retention", "--today", datetime.now(UTC).date().isoformat())["due"]) == 5
    assert await admin.fetchval("SELECT detach_day($1)", today - 405)
    shown = telltale.facts("retention")
    assert (shown["days"], len(shown["detached"]), len(shown["due"])) == (6, 1, 4)
    assert len(telltale.facts("retention", "--attach-back", "--at-once", "30")["attached_back"]) == 1
    assert telltale.facts("retention")["days"] == 7
    wrong = telltale("retention", "--today", "yesterday")
    assert wrong.returncode == 2 and "today" in wrong.stderr


async def test_a_dealer_texts_from_the_providers_number_and_not_from_its_landline(
    telltale: Telltale, pool_as: PoolAs
) -> None:
    telltale.environment |= {
        "TELLTALE_TWILIO_ACCOUNT": "AC1",
        "TELLTALE_TWILIO_TOKEN": "t",
        "TELLTALE_TWILIO_FROM": "+49 176 04069100",
    }
    create_dealer(telltale)
    pool = await pool_as("admin")

    async def senders() -> list[tuple[str, str]]:
        return [
            (row["address"], row["channel"])
            for row in await pool.fetch("SELECT address, channel FROM senders ORDER BY address")
        ]

    assert await senders() == [("+4917604069100", "sms")]
    assert telltale.facts("dealer", "sender", "0176 04069101")["sender"] == "+4917604069101"
    assert await senders() == [("+4917604069100", "former"), ("+4917604069101", "sms")]
    assert telltale.facts("dealer", "sender", "werkstatt@nord.example")["channel"] == "email"
    assert telltale("dealer", "sender", "nobody").returncode == 2


def test_certificates_and_a_brokers_files_are_made_by_two_commands_that_may_be_repeated(
    telltale: Telltale, tmp_path: Path
) -> None:
    create_dealer(telltale)
    password = telltale.facts("vehicle", "enrol", "WVWZZZ1KZAW000123", "--profile", "petrol_hatch")["password"]
    certificates, out, public = tmp_path / "certificates", tmp_path / "mosquitto", tmp_path / "public"
    make = (
        "certificates",
        "make",
        "--out",
        str(certificates),
        "--host",
        "broker.example",
        "--host",
        "10.0.0.7",
        "--public",
        str(public),
    )
    assert telltale.facts(*make)["server_made"] is True
    assert telltale.facts(*make) | {"folder": ""} == {
        "folder": "",
        "authority_made": False,
        "server_made": False,
        "hosts": ["broker.example", "10.0.0.7"],
    }
    assert [path.name for path in public.iterdir()] == ["ca.crt"]
    assert (
        telltale.facts("certificates", "client", "gateway", "--out", str(certificates))["key"]
        == f"{certificates}/gateway.key"
    )

    config = ("broker-config", "mosquitto", "--out", str(out), "--certificates", str(certificates))
    assert telltale.facts(*config) == {"folder": str(out), "cars": 1, "enrol_again": [], "broker_told": False}
    assert {path.name for path in out.iterdir()} == {
        "mosquitto.conf",
        "server.crt",
        "server.key",
        "cars.passwords",
        "cars.access",
        "gateways.passwords",
        "gateways.access",
        "store",
    }
    before = {path: path.stat().st_mtime_ns for path in out.iterdir() if path.is_file()}
    telltale.facts(*config)
    assert {path: path.stat().st_mtime_ns for path in out.iterdir() if path.is_file()} == before
    assert (out / "cars.passwords").read_text() == f"WVWZZZ1KZAW000123:{mosquitto_hash(password)}\n"
    telltale.facts("vehicle", "revoke", "WVWZZZ1KZAW000123")
    assert telltale.facts(*config)["cars"] == 0
    assert (out / "cars.passwords").read_text() == (out / "cars.access").read_text() == ""


async def test_a_car_enrolled_before_mosquittos_hashes_were_kept_is_named(
    telltale: Telltale, tmp_path: Path, pool_as: PoolAs
) -> None:
    create_dealer(telltale)
    telltale.facts("vehicle", "enrol", "WVWZZZ1KZAW000123", "--profile", "petrol_hatch")
    await (await pool_as("admin")).execute("UPDATE vehicles SET mosquitto_hash = NULL")
    telltale.facts("certificates", "make", "--out", str(tmp_path), "--host", "b.example")
    result = telltale.facts("broker-config", "mosquitto", "--out", str(tmp_path / "m"), "--certificates", str(tmp_path))
    assert (result["cars"], result["enrol_again"]) == (0, ["WVWZZZ1KZAW000123"])


def test_without_certificates_there_is_no_configuration(telltale: Telltale, tmp_path: Path) -> None:
    done = telltale("broker-config", "mosquitto", "--out", str(tmp_path / "m"), "--certificates", str(tmp_path))
    assert done.returncode == 2
    assert "telltale certificates make" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
