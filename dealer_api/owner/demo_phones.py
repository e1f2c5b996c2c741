"""The demo phones: every simulated owner's phone on one page.

The phone is the channel that never leaves this machine, so only this machine sees it.
"""

from __future__ import annotations

import re
import secrets as randomness
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from aiohttp import web

from dealer_api.app_keys import house
from dealer_api.owner.formatting import Speech
from dealer_api.owner.links import guest_language, lapse_of
from dealer_api.owner.pages import HEADERS, draw
from rules.service import sms
from schemas.account import Dealer
from schemas.moment import local
from store import accounts
from store.views import demo_phones
from store.views.demo_phones import Bubble, Handset, Newest


@dataclass(frozen=True, slots=True)
class _Line:
    """The number that a dealer's texts come from."""

    address: str
    name: str
    dealer: Dealer


@dataclass(frozen=True, slots=True)
class _Shown:
    """A phone in the list."""

    number: str
    name: str
    about: str
    initials: str
    staff: bool
    newest: Newest | None
    time: str


@dataclass(frozen=True, slots=True)
class _Table:
    """All phones, the chosen one, and what lies on it."""

    speech: Speech
    lapse: int | None
    handsets: tuple[_Shown, ...]
    chosen: Handset | None
    line: _Line | None
    bubbles: tuple[Bubble, ...]


async def _table(request: web.Request) -> _Table:
    """Everything the page shows: the phones of the demo's own dealers, of no real one in the same home."""
    home = house(request)
    async with home.at(None) as connection:
        demos = await accounts.demo_dealers(connection)
        lapse = await lapse_of(connection)
    lines = []
    for dealer_id in demos:
        async with home.at(dealer_id) as connection:
            lines += await demo_phones.lines(connection, dealer_id)
    wanted = request.query.get("to", "").replace("\x00", "")
    handsets: list[Handset] = []
    chosen: Handset | None = None
    line: _Line | None = None
    bubbles: list[Bubble] = []
    newest: dict[str, Newest] = {}
    for at in lines:
        async with home.at(at.dealer_id) as connection:
            dealer = await accounts.dealer(connection, at.dealer_id)
            mine = await demo_phones.handsets(connection, at.dealer_id)
            here = next((one for one in mine if one.number == wanted), None)
            if here is not None:
                chosen, line = here, _Line(at.address, dealer.name, dealer)
                bubbles += await demo_phones.answers(connection, at.dealer_id, wanted)
            line = line or _Line(at.address, dealer.name, dealer)
            bubbles += await demo_phones.texts(connection, at.dealer_id, wanted) if wanted else []
            for number, latest in (
                await demo_phones.newest(connection, at.dealer_id, [one.number for one in mine])
            ).items():
                newest[number] = _later(newest.get(number), latest)
        handsets += [one for one in mine if one.number not in {known.number for known in handsets}]
    zone = line.dealer.zone if line else "UTC"
    speech = Speech(home.wording, guest_language(request, home), zone, home.now())
    return _Table(
        speech,
        lapse,
        handsets=tuple(_shown(speech, one, newest.get(one.number)) for one in handsets),
        chosen=chosen,
        line=line,
        bubbles=tuple(sorted(bubbles, key=_order)),
    )


def _later(one: Newest | None, other: Newest) -> Newest:
    """Of a phone that two dealers write to."""
    if one is None:
        return other
    return replace(max(one, other, key=lambda newest: newest.id), texts=one.texts + other.texts)


def _order(bubble: Bubble) -> tuple[Any, ...]:
    """By business time; an answer comes after the text that it answers."""
    return (bubble.at, bubble.mine, bubble.id)


def _shown(speech: Speech, handset: Handset, newest: Newest | None) -> _Shown:
    initials = "".join(part[0] for part in handset.name.split()[:2]).upper()
    return _Shown(
        handset.number,
        handset.name,
        about=handset.about,
        initials=initials,
        staff=handset.staff,
        newest=newest,
        time=speech.clock(newest.at) if newest else "",
    )


def _drawn(speech: Speech, bubbles: tuple[Bubble, ...]) -> list[dict[str, Any]]:
    """Bubbles as the page draws them: a line with the day wherever a new day begins."""
    days = [local(bubble.at, speech.zone).date() for bubble in bubbles]
    new = [True, *(before != after for before, after in pairwise(days))]
    return [
        {
            "key": f"{'a' if b.mine else 't'}{b.id}",
            "mine": b.mine,
            "body": b.body,
            "time": speech.clock(b.at),
            "day": speech.day(b.at) if begins else "",
        }
        for b, begins in zip(bubbles, new)
    ]


def quick_answers(bubbles: tuple[Bubble, ...]) -> list[str]:
    """What the newest text asks to be answered with: the digits it explains, and STOP where it names it."""
    body = next((bubble.body for bubble in reversed(bubbles) if not bubble.mine), "")
    found = re.findall(r"(?<!\S)(\d) ?= ?\S", body)
    if not found and re.search(r"\b1 \(.*\b5 \(", body):
        found = ["1", "2", "3", "4", "5"]
    return [*dict.fromkeys(found), *(["STOP"] if re.search(r"\bSTOP\b", body) else [])]


async def show(request: web.Request) -> web.StreamResponse:
    """The list of phones, and the chosen one beside it."""
    table = await _table(request)
    say = table.speech.say
    groups = [
        (say(f"phone-{kind}"), [one for one in table.handsets if one.staff is staff])
        for kind, staff in (("owners", False), ("staff", True))
    ]
    return draw(
        "phone.html",
        table.speech,
        groups=groups,
        chosen=table.chosen,
        line=table.line,
        bubbles=_drawn(table.speech, table.bubbles),
        now=table.speech.now,
        once=randomness.token_urlsafe(12),
        quick=quick_answers(table.bubbles),
        lapse=table.lapse,
    )


async def texts(request: web.Request) -> web.StreamResponse:
    """The same for programs: `texts` that arrived on the phone `to`, oldest first; what the page needs to stay live."""
    table = await _table(request)
    arrived = [
        {"id": b.id, "body": b.body, "at": b.at.isoformat(), "from": b.other, "parts": sms.measure(b.body).parts}
        for b in table.bubbles
        if not b.mine
    ]
    listed = [
        {
            "number": one.number,
            "name": one.name,
            "staff": one.staff,
            "texts": one.newest.texts if one.newest else 0,
            "time": one.time,
            "snippet": one.newest.body if one.newest else "",
        }
        for one in table.handsets
    ]
    body = {
        "texts": arrived,
        "bubbles": _drawn(table.speech, table.bubbles),
        "handsets": listed,
        "clock": table.speech.clock(table.speech.now),
        "quick": quick_answers(table.bubbles),
    }
    return web.json_response(body, headers=HEADERS)
