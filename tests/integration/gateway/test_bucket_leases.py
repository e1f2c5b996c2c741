"""Leases between gateways: who may take what back, whose wish counts, what a killed gateway leaves behind."""

from __future__ import annotations

import pytest

from gateway.intake.writer import LostLease, Writer, machine_now
from store import leases
from store.pool import connect
from tests.integration.gateway.world import World


@pytest.fixture
async def shared(world: World):
    """Writers on one database, closed at the end."""
    made: list[Writer] = []

    def writer(holder: str, share: str) -> Writer:
        made.append(Writer(world.database.role("gateway"), holder, share))
        return made[-1]

    yield writer
    for one in made:
        await one.close()


async def test_a_bucket_that_another_gateway_had_meanwhile_is_not_taken_back(shared):
    coarse, fine = shared("coarse", "0/2"), shared("fine", "0/4")
    await coarse.take([0, 2])
    coarse._drop()  # its connection dies, and its leases with it
    while 0 not in await fine.take([0]):
        pass
    await fine.give(0)  # the lock is free again, but cars have moved on
    with pytest.raises(LostLease):
        await coarse.take([2])


async def test_a_bucket_that_nobody_else_had_is_taken_back_with_the_next_connection(shared, world: World):
    alone = shared("alone", "0/2")
    await alone.take([0, 2])
    alone._drop()
    await alone.take([])
    assert await shared("late", "0/4").take([0, 2]) == []


async def test_a_coarser_share_does_not_overwrite_the_wish_of_a_finer_one(world: World):
    connection = await connect(world.database.role("gateway"), name="test")
    try:
        await leases.take(connection, 5, "holder", "1/4", machine_now())
        await leases.want(connection, [5], "5/8")
        await leases.want(connection, [5], "1/2")
        assert await leases.wanted(connection, [5]) == {5: "5/8"}
    finally:
        await connection.close()
