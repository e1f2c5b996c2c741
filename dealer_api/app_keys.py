"""Typed keys of the application and of a request."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from actions.context import Acting, House
from dealer_api.health import Health
from dealer_api.live import Live
from dealer_api.permissions import Permission
from dealer_api.route import Route
from schemas.account import Dealer, Staff

HOUSE: web.AppKey[House] = web.AppKey("house", House)
HEALTH: web.AppKey[Health] = web.AppKey("health", Health)
LIVE: web.AppKey[Live] = web.AppKey("live", Live)
DOORS: web.AppKey[tuple[Route, ...]] = web.AppKey("doors", tuple)  #: of the API


@dataclass(frozen=True)
class Call(Acting):
    """Who is asking, and acts if they may. `role` is a staff role, or `api` for a key."""

    role: str
    staff: Staff | None
    dealer: Dealer
    session: str | None  #: the hash of the cookie, for CSRF tokens and signing out
    scopes: frozenset[str] = frozenset()  #: of a key
    second_factor: bool = False  #: whether more than a password stands behind this session

    @property
    def csrf(self) -> str:
        """The token that this session's forms carry in the field `csrf`."""
        return self.house.sign("csrf", self.session or "")

    @property
    def lacks_second_factor(self) -> bool:
        """Whether the dealer asks for more than this session has proved: then it is good for setting that up, and for
        nothing else.
        """
        return self.staff is not None and not self.second_factor and self.dealer.asks_second_factor(self.staff.role)

    def may(self, permission: Permission) -> bool:
        """Whether this caller may do that: for what a page shows, and for the parts of an answer that not everybody may
        read.
        """
        return permission.allows(self.role, self.scopes)


CALL: web.RequestKey[Call] = web.RequestKey("call", Call)
DOOR: web.RequestKey[Route] = web.RequestKey("door", Route)


def call(request: web.Request) -> Call:
    """Who is asking; only behind a guarded route."""
    return request[CALL]


def house(request: web.Request) -> House:
    """The house, on public routes where nobody is known yet."""
    return request.app[HOUSE]
