"""One door: method, path, handler, and the permission it asks for.

Everything else is derived from the list of these.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import BaseModel

from dealer_api.permissions import DEMO, Permission

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

PUBLIC = frozenset({"public"})  #: nobody is asked; the handler itself checks a signed link or a webhook's signature


@dataclass(frozen=True)
class Route:
    """A line of a register. The models describe an API route in OpenAPI; pages leave them out."""

    method: str
    path: str
    handler: Handler
    permission: Permission
    summary: str = ""
    body: type[BaseModel] | None = None
    answer: Any = None  #: a pydantic type
    query: type[BaseModel] | None = None
    status: int = 200
    secret: bool = False  #: its answer is shown once: a repetition is told so instead of getting it again
    media: str = "application/json"  #: of the body
    streams: bool = False  #: its answer does not end: server-sent events
    largest: int | None = None  #: bytes of a body, where a picture may come
    repeatable: bool | None = None  #: None: every POST of the API is, and needs an Idempotency-Key

    @property
    def who(self) -> frozenset[str]:
        """The roles that may knock; `api` stands for programs, which open the API's doors only, never pages."""
        if self.permission.public:
            return PUBLIC
        return self.permission.roles | ({"api"} if self.is_api and self.permission.scope is not None else frozenset())

    @property
    def demo(self) -> bool:
        """Whether the door is there in a demo only: a real house has none of these."""
        return self.permission is DEMO

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")

    @property
    def needs_key(self) -> bool:
        """Whether a caller must send an Idempotency-Key."""
        return (
            self.repeatable
            if self.repeatable is not None
            else self.is_api and self.method == "POST" and self.who != PUBLIC
        )
