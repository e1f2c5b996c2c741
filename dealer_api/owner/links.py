"""Signed links: a token in the address opens one thing for one person for a while. Opening changes nothing."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from aiohttp import web

from actions.context import Acting, House
from dealer_api.app_keys import house
from dealer_api.bodies import posted
from dealer_api.owner.formatting import LANGUAGES, Speech
from dealer_api.owner.pages import draw, see_other
from schemas.account import Dealer
from schemas.errors import BadInput, IllegalMove, NotFound, Overtaken, TelltaleError, Unavailable
from store import accounts, clock, secrets
from store.pool import Connection
from store.secrets import Secret
from store.views import journey
from store.views.journey import Visit

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Ended(TelltaleError):
    """This link has ended."""


@dataclass(frozen=True)
class Link:
    """What a token opened, with everything its page shows."""

    house: House  #: with the owner page's rights
    secret: Secret
    dealer: Dealer
    visit: Visit
    speech: Speech
    lapse: int | None  #: business seconds per machine second, when that is not 1
    here: str  #: the page's own address

    @property
    def acting(self) -> Acting:
        """Whoever holds the link acts as the owner."""
        return self.house.acting(self.secret.dealer_id, "owner")

    @property
    def shown(self) -> dict[str, Any]:
        """What every page of a link shows."""
        return {
            "dealer": self.dealer,
            "vehicle": self.visit.car,
            "owner": self.visit.owner,
            "here": self.here,
            "lapse": self.lapse,
        }


async def open_link(request: web.Request, *purposes: str) -> Link:
    """What the token of this request opens.

    NotFound for what we never made, Ended for what is over or no longer theirs.
    """
    home, token = house(request).as_owner(), request.match_info["token"]
    now = home.now()
    async with home.at(None) as connection:
        secret = await secrets.find(connection, token, *purposes)
        lapse = await lapse_of(connection)
    if secret is None or secret.subject_id is None:
        raise NotFound("link")
    if not secret.opens(now):
        raise Ended
    async with home.at(secret.dealer_id) as connection:
        case_id = await journey.case_of(connection, secret.dealer_id, secret.purpose, secret.subject_id)
        visit = (
            await journey.visit(connection, secret.dealer_id, case_id, secret.owner_id) if case_id is not None else None
        )
        dealer = await accounts.dealer(connection, secret.dealer_id)
    if visit is None:
        raise NotFound("link")
    if visit.car.owner_id != visit.owner.id or (
        visit.case.owner_id is not None and visit.case.owner_id != visit.owner.id
    ):
        raise Ended  # the car has another owner now: nothing is read across that line
    place = visit.booking.zone if visit.booking else dealer.zone
    speech = replace(
        speech_of(request, home, language=visit.owner.language, zone=place, now=now), reader_zone=visit.owner.zone
    )
    return Link(
        home,
        secret,
        dealer=dealer,
        visit=visit,
        speech=speech,
        lapse=lapse,
        here=f"/{request.path.split('/')[1]}/{token}",
    )


async def lapse_of(connection: Connection) -> int | None:
    """How much faster than the machine's clock business time runs; a time-lapse says so on every page."""
    row = await clock.read(connection)
    return int(row[2]) if row and row[2] != 1 else None


def speech_of(request: web.Request, home: House, language: str, zone: str, now: datetime) -> Speech:
    """In the person's language, or in the one that `?language=` asks for while they look."""
    wanted = request.query.get("language", "")
    return Speech(home.wording, home.wording.language(wanted if wanted in LANGUAGES else language), zone, now)


def guest_language(request: web.Request, home: House) -> str:
    """Of somebody we do not know: the browser's first language that we speak."""
    for part in request.headers.get("Accept-Language", "").split(","):
        tag = part.split(";")[0].strip().split("-")[0].lower()
        if tag in LANGUAGES:
            return tag
    return str(home.wording.language("en"))


async def form_of(request: web.Request) -> dict[str, str]:
    """The fields of a form as text without NUL, which no column takes; what is no form is BadInput."""
    return {
        name: value.replace("\x00", "") for name, value in (await posted(request)).items() if isinstance(value, str)
    }


def forgiving(handler: Handler) -> Handler:
    """Errors as these readers need them: a plain sentence, or the page as it stands now."""

    @functools.wraps(handler)
    async def wrapped(request: web.Request) -> web.StreamResponse:
        try:
            return await handler(request)
        except Ended:
            return _closed(request, "gone", 410)
        except NotFound:
            return _closed(request, "unknown", 404)
        except Unavailable:
            response = _closed(request, "away", 503)
            response.headers["Retry-After"] = "2"
            return response
        except (IllegalMove, Overtaken, BadInput) as error:
            if request.method != "POST":
                raise
            note = "overtaken" if isinstance(error, Overtaken) else "changed"
            return see_other(f"{back_to(request)}?note={note}")

    return wrapped


def back_to(request: web.Request) -> str:
    """The page that a form of a link came from: /o/TOKEN of /o/TOKEN/accept."""
    return "/".join(request.path.split("/")[:3]) if "token" in request.match_info else "/" + request.path.split("/")[1]


def _closed(request: web.Request, what: str, status: int) -> web.Response:
    home = house(request)
    speech = Speech(home.wording, guest_language(request, home), "UTC", home.now())
    return draw("closed.html", speech, status=status, what=what)
