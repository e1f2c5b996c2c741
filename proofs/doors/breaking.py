"""The desk with one guard taken out. No production code knows of it; each proof of the doors must turn red."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from aiohttp import web

from dealer_api import authentication, error_responses
from dealer_api.app_keys import Call
from dealer_api.permissions import ROLES
from dealer_api.route import PUBLIC, Route
from schemas.errors import BadInput, Misconfigured, NotFound

Patches = list[Any]


def other_dealer(dealers: Sequence[int]) -> Patches:
    """Technicians and programs are taken for those of the dealer next door, as a mixed-up cache would do."""
    ask = authentication._ask

    async def mixed_up(request: web.Request) -> Call | None:
        found = await ask(request)
        if found is not None and found.role in ("technician", "api"):
            return replace(found, dealer_id=next(one for one in dealers if one != found.dealer_id))
        return found

    return [patch.object(authentication, "_ask", mixed_up)]


def every_role(dealers: Sequence[int]) -> Patches:
    """Whoever is signed in may do everything."""
    who = property(
        lambda route: PUBLIC if route.permission.public else frozenset({*ROLES, "api"} if route.is_api else ROLES)
    )
    return [patch.object(Route, "who", who), patch.object(Call, "may", lambda call, permission: True)]


def bug_for_refusal(dealers: Sequence[int]) -> Patches:
    """What is wrong in a request, or not there, is answered as if it were our bug."""
    problem_of = error_responses.problem_of
    return [
        patch.object(
            error_responses,
            "problem_of",
            lambda error: (
                error_responses._problem(500, "on purpose")
                if isinstance(error, BadInput | NotFound)
                else problem_of(error)
            ),
        )
    ]


SWITCHES: dict[str, Callable[[Sequence[int]], Patches]] = {
    "other-dealer": other_dealer,
    "every-role": every_role,
    "bug-for-refusal": bug_for_refusal,
}


@contextmanager
def broken(switch: str | None, dealers: Sequence[int]) -> Iterator[None]:
    """With that guard taken out; None leaves the desk as it is."""
    if switch is not None and switch not in SWITCHES:
        raise Misconfigured("--sabotage", f"is one of {', '.join(SWITCHES)}")
    patches = SWITCHES[switch](dealers) if switch else []
    for one in patches:
        one.start()
    try:
        yield
    finally:
        for one in reversed(patches):
            one.stop()
