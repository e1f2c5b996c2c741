"""One door: method, path, handler, and who may knock. Everything else is derived from the list of these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import BaseModel

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PUBLIC = frozenset({"public"})  #: nobody is asked; the handler itself checks a signed link or a webhook's signature
ADVISOR = frozenset({"advisor", "manager", "api"})
MANAGER = frozenset({"manager", "api"})
WORKSHOP = frozenset({"technician", "advisor", "manager", "api"})
DRIVING = frozenset({"driver", "advisor", "manager", "api"})
EVERYONE = frozenset({"driver", "technician", "advisor", "manager", "api"})
PEOPLE = frozenset({"driver", "technician", "advisor", "manager"})  #: signed-in staff, no keys: the pages


@dataclass(frozen=True)
class Route:
    """A line of a register. The models describe an API route in OpenAPI; pages leave them out."""

    method: str
    path: str
    handler: Handler
    who: frozenset[str]
    summary: str = ""
    body: type[BaseModel] | None = None
    answer: Any = None  #: a pydantic type
    query: type[BaseModel] | None = None
    status: int = 200
    secret: bool = False  #: its answer is shown once: a repetition is told so instead of getting it again
    media: str = "application/json"  #: of the body
    streams: bool = False  #: its answer does not end: server-sent events
    repeatable: bool | None = None  #: None: every POST of the API is, and needs an Idempotency-Key

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")

    @property
    def needs_key(self) -> bool:
        """Whether a caller must send an Idempotency-Key."""
        return self.repeatable if self.repeatable is not None else self.is_api and self.method == "POST" and self.who != PUBLIC
