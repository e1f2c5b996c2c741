"""The manager's numbers: each is what a hand counts over the rows of one's own house, and opens its cases."""

from __future__ import annotations

import csv
import html
import io
import random
import re
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store import fleet, owners
from tests.integration.dealer_api.conftest import MONDAY, Desk

_CASE = """
INSERT INTO cases (dealer_id, vehicle_id, owner_id, state, severity, title, origin, comebacks, opened_at, changed_at,
    acknowledged_at, repaired_at, confirmed) VALUES ($1, $2, $3, $4, 'soon', 'Rattles', 'alert', $5, $6, $6, $7, $8, $9)
RETURNING id
"""
_ALERT = """
INSERT INTO alerts (dealer_id, vehicle_id, rule, rule_version, component, episode, step, state, severity, because,
    first_at, changed_at, received_at, case_id) VALUES ($1, $2, $3, 1, '', 1, 1, 'active', 'soon', 'x', $4, $4, $4, $5)
"""
_MESSAGE = """
INSERT INTO messages (dealer_id, owner_id, case_id, kind, purpose, channel, to_address, language, body, state,
    reference, author, queued_at, due_at, sent_at)
VALUES ($1, $2, $3, 'words', 'service', 'phone', '+49', 'en', 'x', $4, gen_random_uuid()::text, 'worker', $5, $5, $6)
"""
_BOOKING = """
INSERT INTO bookings (dealer_id, case_id, vehicle_id, kind, state, starts_at, ends_at, wall_start, zone, made_at)
VALUES ($1, $2, $3, 'waiting', 'completed', $4, $4, 'x', 'Europe/Berlin', $4) RETURNING id
"""
_PROMISE = """
INSERT INTO promises (dealer_id, booking_id, what, due_at, state, made_at, settled_at, owner_told_at)
VALUES ($1, $2, 'ready', $3, $4, $3, $3, $5)
"""
_HISTORY = """
INSERT INTO history (dealer_id, noun, subject_id, new, reason, actor, at) VALUES ($1, $2, $3, $4, '', 'test', $5)
"""
_FEEDBACK = """
INSERT INTO feedback (dealer_id, case_id, owner_id, asked_at, answered_at, score)
VALUES ($1, $2, $3, $4::timestamptz, CASE WHEN $5::smallint IS NULL THEN NULL ELSE $4::timestamptz END, $5)
"""
THIRTY_DAYS_AGO = datetime(2026, 10, 24, 22, tzinfo=UTC)  # the 25th in Berlin: thirty days with Monday the 23rd


async def _owner(connection: Any, dealer: Any, name: str, phone: str) -> Any:
    facts = {"name": name, "phone": phone, "channel": "phone", "language": "en", "zone": "Europe/Berlin"}
    return await owners.create(connection, dealer.id, facts, MONDAY)


async def _a_month(desk: Any, dealer: Any, dice: random.Random, cases: int) -> dict[str, list[int]]:
    """Random cases of this dealer as rows; what was done is written down beside them, number by number."""
    by_hand: dict[str, list[int]] = defaultdict(list)
    async with desk.admin.acquire() as connection:
        for n in range(cases):
            await _a_case(connection, dealer, n, dice=dice, by_hand=by_hand)
    return by_hand


async def _a_case(connection: Any, dealer: Any, n: int, dice: random.Random, by_hand: dict[str, list[int]]) -> None:
    person = await _owner(connection, dealer, f"Jo {n}", f"+4917{dealer.id:02d}{n:06d}")
    car = await fleet.add(
        connection,
        dealer.id,
        vin=f"WVWZZZ1KZAW{dealer.id % 10}{n:05}",
        profile="petrol_hatch",
        title=f"Golf {n} of {dealer.name}",
        plate=None,
        actor="test",
        now=MONDAY,
    )
    found = MONDAY - timedelta(days=dice.uniform(2, 40))
    hours = [found + timedelta(hours=h) for h in sorted(dice.uniform(0, 30) for _ in range(8))]
    furthest = dice.randrange(7)  # how far it came: 0 is found, 6 is proved
    dismissed = furthest < 4 and dice.random() < 0.3
    comebacks = 1 if furthest == 5 and dice.random() < 0.5 else 0
    confirmed = "test_drive" if furthest == 5 and not comebacks and dice.random() < 0.5 else None
    done = furthest == 6 or confirmed is not None
    state = "dismissed" if dismissed else "done" if done else "open"
    case = await connection.fetchval(
        _CASE, dealer.id, car.id, person.id, state, comebacks, hours[0], hours[1] if furthest else None,
        hours[5] if furthest >= 5 else None, confirmed,
    )  # fmt: skip
    await connection.execute(_ALERT, dealer.id, car.id, "tyre_leak", hours[0], case)
    wrote = furthest < 2 and dice.random() < 0.5  # to a number that is none
    if wrote:
        await connection.execute(_MESSAGE, dealer.id, person.id, case, "failed", hours[1], None)
    if furthest >= 2:
        await connection.execute(_MESSAGE, dealer.id, person.id, case, "delivered", hours[2], hours[2])
    if furthest >= 3:
        booking = await connection.fetchval(_BOOKING, dealer.id, case, car.id, hours[3])
        outcome = dice.choice(["kept", "moved", "broken"])
        told = hours[3] - timedelta(hours=1) if dice.random() < 0.5 else None
        await connection.execute(_PROMISE, dealer.id, booking, hours[3], outcome, told)
        if furthest >= 4:
            await connection.execute(_HISTORY, dealer.id, "booking", booking, "arrived", hours[4])
            await connection.execute(_HISTORY, dealer.id, "booking", booking, "ready", hours[5])
    if done:
        await connection.execute(_HISTORY, dealer.id, "case", case, "done", hours[6])
    score = dice.choice([None, 1, 2, 4, 5])
    if done:
        await connection.execute(_FEEDBACK, dealer.id, case, person.id, hours[7], score)
    if not hours[0] >= THIRTY_DAYS_AGO:
        return

    def count(key: str, yes: bool) -> None:
        if yes:
            by_hand[key].append(case)

    count("all", True)
    for step, name in enumerate(("found", "taken", "told", "agreed", "here", "repaired", "proved")):
        count(f"reached-{name}", furthest >= step)
        count(f"lost-{name}", furthest == step - 1 and (dismissed or done))
        count(f"open-{name}", furthest == step - 1 and not (dismissed or done))
    count("first_time", furthest >= 5 and done and not comebacks)
    count("comebacks", comebacks > 0)
    count("by_word", confirmed is not None)
    if furthest >= 3:
        count(outcome, True)
        count("silent", outcome == "broken" and told is None)
    if furthest >= 4:
        count("long_silence", hours[5] - hours[4] > timedelta(minutes=30))
    count("never_asked", furthest < 2 and not wrote and not dismissed)
    count("never_reached", wrote and not dismissed)
    count("no_answer", furthest == 2)
    count("scored", done and score is not None)
    count("low_score", done and score in (1, 2))


@pytest.mark.parametrize("seed", [1, 2])
async def test_each_number_is_what_a_hand_counts_over_the_rows_of_a_random_month(desk: Desk, seed: int) -> None:
    by_hand = await _a_month(desk, desk.dealer, random.Random(seed), 60)
    await _a_month(desk, desk.other, random.Random(seed + 1), 20)
    manager = await desk.as_role("manager")

    found = await desk.get(manager, "/api/v1/numbers")

    assert found["cases"] == len(by_hand["all"]) > 20
    for step in found["funnel"]:
        for what in ("reached", "lost", "open"):
            assert step[what] == len(by_hand[f"{what}-{step['step']}"]), (step, what)
    for number in found["numbers"]:
        assert number["count"] == len(by_hand[number["key"]]), number
    assert len({number["key"] for number in found["numbers"] if number["count"]}) > 8, "too little happened"


async def test_each_number_opens_the_cases_that_it_counts(desk: Desk) -> None:
    by_hand = await _a_month(desk, desk.dealer, random.Random(3), 40)
    manager = await desk.as_role("manager")
    page = await (await manager.get("/numbers")).text()
    links = [html.unescape(link) for link in re.findall(r'href="(/numbers/cases\?[^"]+)"', page)]

    assert len(links) > 15
    for link in links:
        key = re.search(r"of=([^&]+)", link)
        assert key is not None
        shown = await (await manager.get(link)).text()
        cases = {int(case) for case in re.findall(r'href="/cases/(\d+)"', shown)}
        if key[1] in by_hand:
            assert cases == set(by_hand[key[1]]), link
        assert cases and desk.other.name not in shown


async def test_the_file_says_what_the_page_says_and_holds_no_formula(desk: Desk) -> None:
    by_hand = await _a_month(desk, desk.dealer, random.Random(4), 30)
    manager = await desk.as_role("manager")

    answer = await manager.get("/numbers.csv")
    rows = list(csv.DictReader(io.StringIO((await answer.text()).removeprefix("\ufeff"))))

    assert answer.content_type == "text/csv"
    counts = {row["number"]: row["count"] for row in rows}
    assert counts["found"] == str(len(by_hand["all"])) and counts["broken"] == str(len(by_hand["broken"]))


async def test_an_owner_who_said_stop_is_counted_once_and_named(desk: Desk) -> None:
    async with desk.admin.acquire() as connection:
        for n, ago in enumerate((1, 40)):
            person = await _owner(connection, desk.dealer, f"Anna {n}", f"+49176040690{n:02d}")
            await connection.execute(
                "UPDATE owners SET stopped_at = $2 WHERE id = $1", person.id, MONDAY - timedelta(days=ago)
            )
    manager = await desk.as_role("manager")

    assert (await desk.get(manager, "/api/v1/numbers"))["opt_outs"] == 1
    page = await (await manager.get("/numbers")).text()
    assert "Anna 0" in page and "Anna 1" not in page


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("since=yesterday", "since"),
        ("until=2026-13-01", "until"),
        ("since=2026-11-23&until=2026-11-22", "until"),
        ("since=2020-01-01&until=2026-11-22", "since"),
        ("since=0001-01-01", "since"),
    ],
)
async def test_a_time_that_is_none_is_refused_by_its_name(desk: Desk, query: str, field: str) -> None:
    manager = await desk.as_role("manager")

    answer = await manager.get(f"/api/v1/numbers?{query}")
    page = await manager.get(f"/numbers?{query}")

    assert answer.status == 422 and field in await answer.text()
    assert page.status == 422 and 'role="alert"' in await page.text()


async def test_a_number_that_is_none_is_refused(desk: Desk) -> None:
    manager = await desk.as_role("manager")
    assert (await manager.get("/numbers/cases?of=nonsense")).status == 422


async def test_numbers_are_the_managers(desk: Desk) -> None:
    for role in ("advisor", "technician", "driver"):
        client = await desk.as_role(role)
        assert (await client.get("/numbers")).status == 403
        assert (await client.get("/api/v1/numbers")).status == 403
