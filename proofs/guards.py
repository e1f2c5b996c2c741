"""`telltale prove guards`: what no fault can show. The tests of a promise are run as they are, and with `--sabotage`
without its guard.

Other proofs inject faults; here the guard is a rule about who may do what, and a handful of tests asks for it at the
door. pytest loads this module as a plugin (`-p proofs.guards --without GUARD`), which takes the guard out before any
test is imported. No production code knows of it.
"""

from __future__ import annotations

import asyncio
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from proofs.swap import swap
from schemas.errors import Misconfigured, Unavailable
from telltale.data import ROOT
from telltale.settings import Settings, child_environment

PATIENCE_S = 15.0  #: without its guard a test waits for what never comes


def any_topic() -> None:
    """The embedded broker lets a car speak on every topic."""
    from gateway.ops import auth_callout

    swap(auth_callout, "topics_of", lambda vin: ([">"], [">"]))


def open_list() -> None:
    """mosquitto's access list lets whoever has a password do everything."""
    from gateway.mqtt import mosquitto

    swap(mosquitto, "access_of_cars", lambda vins: "pattern readwrite #\n")


def gateway_says_all() -> None:
    """The gateways' account may speak in a car's name."""
    from gateway.mqtt import mosquitto

    swap(
        mosquitto,
        "access_of_gateways",
        lambda accounts: "".join(f"user {one}\ntopic readwrite #\n" for one in accounts),
    )


def hours_that_are_not() -> None:
    """Windows may begin in an hour that is skipped or comes twice."""
    from rules.service import capacity

    swap(capacity, "_once", lambda wall, zone_name: True)


def no_row_security() -> None:
    """The database gives every role the rows of all dealers."""
    import asyncpg

    from store import migrate as module

    migrate = module.migrate

    async def opened(url: str, *given: Any, **named: Any) -> None:
        await migrate(url, *given, **named)
        connection = await asyncpg.connect(url)
        for row in await connection.fetch("SELECT oid::regclass::text AS name FROM pg_class WHERE relrowsecurity"):
            await connection.execute(f"ALTER TABLE {row['name']} DISABLE ROW LEVEL SECURITY")
        await connection.close()

    swap(module, "migrate", opened)


def looking_books() -> None:
    """Whoever looks at an offer, a link preview too, has taken its first window."""
    from actions import offers
    from dealer_api.owner import visits
    from schemas.booking import OfferState

    show = visits.show

    async def shown(request: Any) -> Any:
        link = await visits._open(request)
        if link.visit.offer is not None and link.visit.offer.state is OfferState.OPEN:
            await offers.accept(link.acting, link.visit.offer.id, 1)
        return await show(request)

    swap(visits, "show", shown)


def one_clock() -> None:
    """Retention believes the clock of its own process."""
    from rules.service import retention

    plan = retention.plan

    def alone(attached: Any, detached: Any, keep_days: int, by: retention.Witnesses) -> retention.Plan:
        return plan(
            attached, detached, keep_days, replace(by, told=by.own, newest=retention.day_of(by.own), machine=by.own)
        )

    swap(retention, "plan", alone)


def loud_logs() -> None:
    """What is private is written into the log."""
    from telltale import logs

    swap(logs, "without_personal_data", lambda logger, method, event: event)


@dataclass(frozen=True)
class Guard:
    """`out` takes it out; each of `tests` (`file::test` under tests/) asks for it."""

    out: Callable[[], None]
    tests: tuple[str, ...]


GUARDS: Mapping[str, Guard] = {
    "any-topic": Guard(
        any_topic,
        (
            "integration/gateway/test_auth_callout.py::test_a_car_can_neither_speak_for_another_nor_listen_to_it_and_we_count_the_attempts",
        ),
    ),
    "open-list": Guard(open_list, ("integration/telltale/test_broker_config.py::test_a_car_speaks_for_itself_alone",)),
    "gateway-says-all": Guard(
        gateway_says_all, ("integration/telltale/test_broker_config.py::test_a_gateway_says_nothing_in_a_cars_name",)
    ),
    "hours-that-are-not": Guard(
        hours_that_are_not,
        ("unit/rules/test_capacity.py::test_no_window_begins_in_an_hour_that_is_skipped_or_repeated",),
    ),
    "no-row-security": Guard(
        no_row_security,
        (
            "integration/store/test_tenants.py::test_a_connection_that_served_one_dealer_shows_the_next_nothing_of_them",
            "house/test_rights.py::test_every_table_forces_row_security_or_says_why_not",
        ),
    ),
    "looking-books": Guard(
        looking_books,
        ("integration/dealer_api/owner/test_owner_link.py::test_fifty_previews_change_no_row_of_any_table",),
    ),
    "one-clock": Guard(
        one_clock, ("unit/rules/test_retention.py::test_one_clock_that_is_days_ahead_takes_nothing_away_and_says_so",)
    ),
    "loud-logs": Guard(loud_logs, ("unit/telltale/test_logs.py::test_private_facts_and_phone_numbers_are_dropped",)),
}
SWITCHES = tuple(GUARDS)


async def main(settings: Settings, *, sabotage: str | None) -> dict[str, Any]:
    """All of the tests; with a switch its own, which must then fail."""
    if sabotage is not None and sabotage not in GUARDS:
        raise Misconfigured("--sabotage", f"{sabotage} is no switch of this proof; known are {', '.join(GUARDS)}")
    began = time.monotonic()
    wanted = [GUARDS[sabotage]] if sabotage else [*GUARDS.values()]
    tests = [f"tests/{test}" for guard in wanted for test in guard.tests]
    if missing := [test for test in tests if not (ROOT / test.partition("::")[0]).exists()]:
        raise Misconfigured("guards", f"this proof runs tests and needs a checkout: there is no {missing[0]}")
    without = ("--without", sabotage) if sabotage else ()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "proofs.guards",
        *without,
        *tests,
        cwd=ROOT,
        env={**child_environment({}), "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output = (await process.communicate())[0].decode(errors="replace")
    counted = {
        kind: int(n)
        for n, kind in re.findall(
            r"(\d+) (passed|failed|skipped|error)", output.strip().splitlines()[-1] if output.strip() else ""
        )
    }
    if counted.get("error") or not counted:
        raise Unavailable("pytest", output[-600:])
    return {
        "checked": counted.get("passed", 0) + counted.get("failed", 0),
        "violations": counted.get("failed", 0),
        "skipped": counted.get("skipped", 0),
        "failed": re.findall(r"(?m)^FAILED (\S+)", output),
        "sabotage": sabotage,
        "seconds": round(time.monotonic() - began, 1),
    }


# -- as a plugin of pytest ---------------------------------------------------------------------------------------------


def pytest_addoption(parser: Any) -> None:
    """`--without GUARD`."""
    parser.addoption("--without", choices=SWITCHES, help="take this guard out first")


def pytest_load_initial_conftests(early_config: Any) -> None:
    """Before any test or conftest has imported what is taken out."""
    if name := early_config.known_args_namespace.without:
        from tests import patience

        patience.PATIENCE_S = PATIENCE_S
        GUARDS[name].out()
