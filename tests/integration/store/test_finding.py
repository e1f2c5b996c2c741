"""One search for cars and owners, however somebody spells what they look for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rules.service.finding import asked
from store import finding
from store.pool import transaction

OWNERS = (
    ("Jürgen Süß", "+4917604069010", "suess@post.example"),
    ("Anna Mueller", "+4940123456", None),
    ("Ana María López", "+34600111222", None),
    ("Шевченко Олена", None, "olena@post.example"),
)
CARS = (("WVWZZZ1JZXW009001", "VW Golf", "HH-EC 417"), ("WAUZZZ8K9BA123456", "Audi A4 Avant", "TÜ AB 12"))


@pytest.fixture
async def known(pool_as: Any) -> Any:
    """Two dealers with the same names; the second has nothing else."""
    admin = await pool_as("admin")
    async with admin.acquire() as connection:
        dealers = [
            await connection.fetchval(
                """INSERT INTO dealers (name, zone, country, phone, address, opening_hours, language, created_at)
                   VALUES ($1, 'Europe/Berlin', 'DE', '+4940', 'x', '24/7', 'de', now()) RETURNING id""",
                name,
            )
            for name in ("One", "Two")
        ]
        for dealer in dealers:
            owners = [
                await connection.fetchval(
                    """INSERT INTO owners (dealer_id, name, phone, email, channel, language, zone, created_at)
                       VALUES ($1, $2, $3, $4, 'phone', 'de', 'Europe/Berlin', now()) RETURNING id""",
                    dealer,
                    *one,
                )
                for one in OWNERS
            ]
            for n, (vin, title, plate) in enumerate(CARS):
                await connection.execute(
                    """INSERT INTO vehicles (vin, dealer_id, dealer_since, profile, title, plate, owner_id)
                       VALUES ($1, $2, now(), 'petrol_hatch', $3, $4, $5)""",
                    vin if dealer == dealers[0] else vin[:-1] + "9",
                    dealer,
                    title,
                    plate,
                    owners[n],
                )
    return await pool_as("desk"), dealers[0]


async def found(known: Any, text: str, nouns: tuple[str, ...] = ("owner", "reach")) -> tuple[list[str], list[str]]:
    pool, dealer = known
    question = asked(text, "DE")
    if question is None:
        return [], []
    async with transaction(pool, dealer) as connection:
        words = await finding.folded(connection, question.words, question.wholes)
        cars = await finding.vehicles(connection, dealer, words, nouns)
        people = await finding.owners(connection, dealer, words, nouns)
        plates = {row["id"]: row["plate"] for row in await connection.fetch("SELECT id, plate FROM vehicles")}
        names = {row["id"]: row["name"] for row in await connection.fetch("SELECT id, name FROM owners")}
    return [plates[one] for one in cars], [names[one] for one in people]


@pytest.mark.parametrize("text", ["HHEC417", "hh ec 417", "HH-EC417", "wvwzzz1jz", "009001", "golf", "Golf VW", "gol"])
async def test_a_car_is_found_by_its_plate_its_vin_and_what_it_is(known: Any, text: str) -> None:
    assert (await found(known, text))[0] == ["HH-EC 417"]


@pytest.mark.parametrize(
    "text",
    ["0176 04069010", "017604069010", "+49 176 04069010", "0049 176 04069010", "0176 0406", "069010", "SÜSS", "Suess"]
    + ["süß jürgen", "Juergen", "jurgen", "suess@post.example", "Sü"],
)
async def test_an_owner_is_found_by_any_spelling_and_their_car_with_them(known: Any, text: str) -> None:
    assert await found(known, text) == (["HH-EC 417"], ["Jürgen Süß"])


@pytest.mark.parametrize(
    ("text", "name"),
    [("müller", "Anna Mueller"), ("LOPEZ maria", "Ana María López"), ("шевченко", "Шевченко Олена"), ("ана", "")],
)
async def test_names_of_all_languages(known: Any, text: str, name: str) -> None:
    assert (await found(known, text))[1] == ([name] if name else [])


async def test_with_and_without_an_umlaut_are_found_side_by_side(known: Any) -> None:
    pool, dealer = known
    async with transaction(pool, dealer) as connection:
        await connection.execute("UPDATE owners SET name = 'Ole Müller' WHERE name = 'Ana María López'")
    assert set((await found(known, "Müller"))[1]) == {"Anna Mueller", "Ole Müller"}
    assert set((await found(known, "mueller"))[1]) == {"Anna Mueller", "Ole Müller"}
    assert (await found(known, "muller"))[1] == ["Ole Müller"]


async def test_no_look_goes_through_all_words_of_a_house(known: Any) -> None:
    """Under row-level security: each range of words, and each car of an owner, is answered by an index."""
    pool, dealer = known
    async with transaction(pool, dealer) as connection:
        await connection.execute("SET LOCAL enable_seqscan = off")
        for cars in (True, False):
            plan = await connection.fetch(
                f"EXPLAIN {finding._query(cars, 2, 1)}", dealer, ["owner", "reach"], ["a"], 9, *"ab" * 3
            )
            text = "\n".join(row[0] for row in plan)
            assert "Seq Scan on search_words" not in text and "(word >= 'a'::text)" in text, text


async def test_a_car_and_its_owner_are_asked_for_together(known: Any) -> None:
    assert (await found(known, "golf süß"))[0] == ["HH-EC 417"]
    assert (await found(known, "audi süß"))[0] == []
    assert (await found(known, "a4 müller"))[0] == ["TÜ AB 12"] and (await found(known, "TÜAB12"))[0] == ["TÜ AB 12"]


async def test_who_may_not_see_numbers_finds_nobody_by_one(known: Any) -> None:
    assert await found(known, "0176 04069010", ("owner",)) == ([], [])
    assert (await found(known, "süß", ("owner",)))[0] == ["HH-EC 417"]


async def test_what_was_changed_is_found_as_it_is_now(known: Any) -> None:
    pool, dealer = known
    async with transaction(pool, dealer) as connection:
        await connection.execute(
            "UPDATE owners SET name = 'Jo Klein', phone = NULL, email = NULL WHERE name = 'Jürgen Süß'"
        )
        await connection.execute("UPDATE vehicles SET plate = NULL WHERE plate = 'HH-EC 417'")
    assert await found(known, "süß") == ([], []) == await found(known, "0176 04069010")
    assert await found(known, "klein jo") == ([None], ["Jo Klein"]) and (await found(known, "hhec417")) == ([], [])


async def test_whoever_was_there_before_gets_their_words_from_the_worker(known: Any, pool_as: Any) -> None:
    worker, admin = await pool_as("worker"), await pool_as("admin")
    before = await admin.fetch("SELECT * FROM search_words ORDER BY 1, 2, 3, 4")
    await admin.execute("DELETE FROM search_words")
    async with transaction(worker) as connection:
        while await finding.fill(connection, 3):
            pass
    assert await admin.fetch("SELECT * FROM search_words ORDER BY 1, 2, 3, 4") == before and len(before) > 40


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=40))
async def test_whatever_is_typed_is_answered(known: Any, text: str) -> None:
    cars, people = await found(known, text)
    assert set(cars) <= {plate for _, _, plate in CARS} and set(people) <= {name for name, *_ in OWNERS}
