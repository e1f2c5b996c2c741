"""What a check found: a name, whether it is as it should be, what was seen, and what to do."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass

from schemas.errors import BadInput, Misconfigured, TelltaleError

LONGEST_S = 90.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the answer. `todo` is empty where there is nothing to do."""

    name: str
    ok: bool
    seen: str
    todo: str = ""


class Wrong(Exception):
    """Not as it should be."""

    def __init__(self, seen: str, todo: str) -> None:
        self.seen, self.todo = seen, todo
        super().__init__(seen)


async def find_all(name: str, look: Awaitable[list[Finding]], todo: str) -> list[Finding]:
    """The same for a look that finds several things and takes as long as it takes."""
    try:
        return await look
    except Wrong as wrong:
        return [Finding(name, False, wrong.seen, wrong.todo)]
    except BadInput:
        raise
    except (TelltaleError, OSError) as error:
        return [Finding(name, False, " ".join(str(error).split()), todo)]


async def find(name: str, look: Awaitable[str], todo: str) -> Finding:
    """`look` answers what it saw, or raises Wrong with what to do; `todo` is said of an error that nobody foresaw."""
    try:
        async with asyncio.timeout(LONGEST_S):
            return Finding(name, True, await look)
    except Wrong as wrong:
        return Finding(name, False, wrong.seen, wrong.todo)
    except Misconfigured as error:
        return Finding(name, False, f"{error.setting}: {error.reason}", todo)
    except TelltaleError as error:
        return Finding(name, False, " ".join(str(error).split()), todo)
    except TimeoutError:
        return Finding(name, False, f"no answer within {LONGEST_S:.0f} s", todo)
    except Exception as error:
        return Finding(name, False, f"{type(error).__name__}: {' '.join(str(error).split())[:200]}", todo)
