"""Keeping a view of a list under a name, and dropping it."""

from __future__ import annotations

from actions.context import Acting
from schemas.errors import BadInput
from schemas.view import LONGEST, kept_of
from store import saved_views

MOST = 40  #: of one person


async def keep(acting: Acting, staff_id: int, *, which: str, name: str, query: str, shared: bool) -> None:
    """What is looked at now, under a name; colleagues see it where it is shared."""
    kept, name = kept_of(which, query), " ".join(name.split())
    if not 0 < len(name) <= LONGEST:
        raise BadInput("name", f"has from 1 to {LONGEST} characters")
    async with acting.transaction() as connection:
        if await saved_views.count(connection, acting.dealer_id, staff_id) >= MOST:
            raise BadInput("name", f"{MOST} views are enough: drop one first")
        await saved_views.keep(
            connection,
            acting.dealer_id,
            staff_id,
            which=which,
            name=name,
            query=kept,
            shared=shared,
            now=acting.now(),
        )


async def drop(acting: Acting, view_id: int, staff_id: int, *, manages: bool) -> str:
    """One's own; a manager drops what anybody shares. Its list."""
    async with acting.transaction() as connection:
        return await saved_views.drop(connection, acting.dealer_id, view_id, staff_id, manages=manages)
