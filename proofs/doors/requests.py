"""A request for each door of the register that gets through it: the right row in the right state, and a body that is
whole.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache, cached_property
from io import BytesIO
from typing import Any

from PIL import Image

from dealer_api.openapi import document
from dealer_api.route import Route
from dealer_api.routes import API
from proofs.doors.dealers import Furnished
from proofs.doors.values import Maker
from schemas.keeping import KINDS

NOBODYS = 987_654_321  #: a number that no row has
NO_LINK = "x" * 43
_V1 = "/api/v1"
#: Which row an act needs, where it is not just any of its noun.
_ROWS = {
    "/cases/{id}/acknowledge": "cases/untaken",
    "/cases/{id}/take": "cases/untaken",
    "/cases/{id}/rang": "cases/undrivable",
    "/cases/{id}/reopen": "cases/dismissed",
    "/bookings/{id}/start": "bookings/arrived",
    "/bookings/{id}/pause": "bookings/working",
    "/bookings/{id}/resume": "bookings/arrived",
    "/bookings/{id}/finish": "bookings/working",
    "/bookings/{id}/promise": "bookings/working",
    "/bookings/{id}/messages": "bookings/working",
    "/bookings/{id}/words": "bookings/working",
    "/bookings/{id}/estimates": "bookings/arrived",
    "/bookings/{id}/hand-over": "bookings/ready",
    "/staff/{id}/enable": "staff/left",
    "/staff/{id}/invite": "staff/invited",
}
_LINKS = {"o": "offer", "f": "feedback", "d": "driver", "u": "end", "invitation": "invitation"}
_CSV = "name;phone;vin;title;profile\nImported {canary};+49301{n:07};WTTBDMPRT{letter}{n:07};A car;petrol_hatch\n"


@cache
def _photo() -> bytes:
    """As a phone sends it."""
    out = BytesIO()
    Image.new("RGB", (320, 240)).save(out, "JPEG")
    return out.getvalue()


@dataclass(frozen=True)
class Knock:
    """One request."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    form: Sequence[tuple[str, str]] | None = None
    text: str | None = None  #: a body of `media`
    media: str = ""
    raw: bytes | None = None  #: a body of `media` that is no text

    def to(self, path: str) -> Knock:
        """The same at another address."""
        return replace(self, path=path)


def _record(ask: Requests) -> dict[str, Any]:
    facts = {"key": f"record-{next(ask._count)}", "odometer_km": "41230", "energy": "fuel", "energy_percent": "60"}
    return {**facts, "keys": "1", "name": "Rosa Frost", "signature": "[[0,0,100,100,200,50,300,300]]"}


def _shot(ask: Requests) -> dict[str, Any]:
    return {"view": "front", "key": f"photo-{next(ask._count)}"}


class Requests:
    """Requests for one dealer's rows; `windows` are free ones, by the way in which the car comes."""

    def __init__(
        self, made: Furnished, now: datetime, windows: Mapping[str, Sequence[datetime]], seed: int = 1
    ) -> None:
        self.made, self._now, self._windows = made, now, windows
        self._count = itertools.count(seed * 100_000 + made.id)
        self._luck = random.Random(seed)

    @cached_property
    def described(self) -> dict[str, Any]:
        """Our own description of the API."""
        return document(API)

    @cached_property
    def maker(self) -> Maker:
        """For bodies of the API."""
        return Maker(self.described["components"]["schemas"], self._luck, self.given, self._now)

    @cached_property
    def given(self) -> dict[str, Any]:
        """What a field of this name takes, at the API and in forms."""
        rows, made = self.made.rows, self.made
        return {
            "vehicle_id": rows["vehicles/free"],
            "owner_id": rows["owners"],
            "staff_id": made.people["second advisor"].id,
            "driver_id": made.people["second driver"].id,
            "case_id": rows["cases"],
            "choice": 1,
            "event": "on_the_way",
            "starts_at": self._start,
            "was": None,
            "vin": lambda: f"WTTBDNEW{made.canary[-1]}{next(self._count):08}",
            "profile": "petrol_hatch",
            "zone": "Europe/Berlin",
            "language": "de",
            "channel": "phone",
            "kind": "drop_off",
            "loaner": False,
            "opening_hours": "Mo-Su 07:00-20:00",
            "region": "DE-BE",
            "special_days": "2026-12-31 closed",
            "day_limits": "pickup 40, desk 2",
            "parts_shelf": "12 V battery",
            "place": "53.5503, 9.9920",
            "pickup_radius_km": 900,
            "ends_at": lambda: (self._now + timedelta(days=200, minutes=next(self._count) % 900)).isoformat(),
            "absence_id": rows.get("absences", 0),
            "template": "waiting",
            "email": lambda: f"new{next(self._count)}@{made.canary.lower()}.example",
            "phone": lambda: f"+4917604{next(self._count):06}",
            "label": lambda: f"key {next(self._count)}",
            "name": lambda: f"New {next(self._count)}",
            "role": "advisor",
            "second_factor": "nobody",
            "two_units": "tell",
            "wording": "Yes, please.",
            "quiet_from": "20:00",
            "quiet_to": "08:00",
        }

    def _of_photo(self) -> dict[str, str]:
        return {"kind": "collect", "view": "front", "key": f"photo-{next(self._count)}"}

    def _later(self) -> str:
        return f"{self._now + timedelta(days=2):%Y-%m-%dT%H:%M}"

    def _start(self) -> str:
        return self._windows["drop_off"][0].isoformat()

    def path(self, route: Route, number: int | None = None, token: str | None = None) -> str:
        """The address with the row that its act needs, or with another."""
        short = route.path.removeprefix(_V1)
        noun = short.split("/")[1]
        row = number if number is not None else self.made.rows.get(_ROWS.get(short, noun), 0)
        link = token if token is not None else self.made.links.get(self._purpose(short, noun), NO_LINK)
        return re.sub(r"{\w+}", "x", route.path.replace("{id}", str(row)).replace("{token}", link))

    def _purpose(self, short: str, noun: str) -> str:
        return (
            "journey"
            if noun == "o" and short.endswith(("/cancel", "/extra", "/extra/ring", "/move"))
            else _LINKS.get(noun, "")
        )

    def knock(self, route: Route, number: int | None = None, token: str | None = None) -> Knock:
        """A whole request for this door."""
        path = self.path(route, number, token)
        if route.media == "image/jpeg":
            return Knock(route.method, path, query=self._of_photo(), raw=_photo(), media=route.media)
        if route.media == "text/csv":
            text = _CSV.format(canary=self.made.canary, n=next(self._count), letter=self.made.canary[-1])
            return Knock(route.method, path, text=text, media=route.media)
        if route.media == "message/rfc822":
            return Knock(route.method, path, raw=b"From: a@b.example\r\n\r\nSTOP\r\n", media=route.media)
        if route.is_api or route.method == "GET":
            body = None if route.body is None else self._body(route)
            return Knock(route.method, path, query=self._about(route), json=body)
        return Knock(route.method, path, query=self._about(route), form=self.form(route))

    def _about(self, route: Route) -> dict[str, str]:
        """Which drive a page of a record is about."""
        return {"leg": str(self.made.rows["legs"])} if route.path.endswith(("/handover", "/photo")) else {}

    def _body(self, route: Route) -> dict[str, Any]:
        operation = self.described["paths"][route.path][route.method.lower()]
        body = self.maker.body(operation["requestBody"]["content"]["application/json"]["schema"])
        if route.path == f"{_V1}/keys/revoke":
            body["label"] = f"all {self.made.canary}"
        return body

    def form(self, route: Route) -> list[tuple[str, str]]:
        """The fields of a page's form; KeyError for a page whose form nobody has written down here."""
        fields = FORMS[route.path](self)
        return [
            (name, one) for name, value in fields.items() for one in (value if isinstance(value, list) else [value])
        ]


def _nothing(ask: Requests) -> dict[str, Any]:
    return {}


def _settings(ask: Requests) -> dict[str, Any]:
    minutes = {name: "30" for name in ask.made.dealer.model_dump() if name.endswith("_minutes") or "_minutes_" in name}
    return {
        "name": f"Dealer {ask.made.canary}",
        "phone": "+4930111",
        "address": "here",
        "opening_hours": "Mo-Su 07:00-20:00",
        "pickup_radius_km": "0",
        **minutes,
        **{kind.setting: str(kind.usual) for kind in KINDS},
    }


def _visit(ask: Requests) -> dict[str, Any]:
    rows = ask.made.rows
    return {
        "offer": str(rows["offers"]),
        "choice": "1",
        "reason": "not_now",
        "booking": str(rows["bookings/booked"]),
        "line": str(rows["estimates"]),
        "answer": "approved",
        "starts_at": ask._start(),
    }


#: The form of each page that takes one: field -> value, or values.
FORMS: dict[str, Callable[[Requests], dict[str, Any]]] = {
    "/sign-in": lambda ask: {"email": ask.made.people["advisor"].email, "password": "not this one"},
    "/sign-in/demo": lambda ask: {"staff": str(ask.made.people["advisor"].id)},
    "/sign-out": _nothing,
    "/invitation/{token}": lambda ask: {"password": "a good long password", "again": "a good long password"},
    "/sign-in/second": lambda ask: {"code": "000000", "next": "/today"},
    **{f"/sign-in{step}/passkey{act}": _nothing for step in ("", "/second") for act in ("", "/ask")},
    "/forgotten": lambda ask: {"email": ask.made.people["advisor"].email},
    "/reset/{token}": lambda ask: {"password": "a good long password", "again": "a good long password"},
    "/security/password": lambda ask: {
        "old": "not this one",
        "password": "a good long password",
        "again": "a good long password",
    },
    "/security/language": lambda ask: {"language": "none"},
    "/security/sessions/end": lambda ask: {"session": "nobody's"},
    "/security/sessions/end-others": _nothing,
    "/security/authenticator/confirm": lambda ask: {"code": "000000"},
    **{
        f"/security/{act}": lambda ask: {"current_password": "not this one"}
        for act in ("authenticator", "authenticator/remove", "codes")
    },
    "/security/passkeys": _nothing,
    "/security/passkeys/ask": _nothing,
    "/security/passkeys/remove": lambda ask: {"passkey": str(NOBODYS), "current_password": "not this one"},
    "/cases/new": lambda ask: {
        "vehicle": str(ask.made.rows["vehicles/free"]),
        "note": "It rattles.",
        "severity": "soon",
    },
    "/queue/bulk": lambda ask: {"case": [str(NOBODYS)], "act": "close", "reason": "Nothing is wrong."},
    "/views": lambda ask: {"list": "queue", "name": f"View {next(ask._count)}", "query": "severity=now"},
    "/views/{id}/drop": _nothing,
    "/cases/{id}/evidence": _nothing,
    "/cases/{id}/take": _nothing,
    "/cases/{id}/rang": _nothing,
    "/cases/{id}/assign": lambda ask: {"to": str(ask.made.people["second advisor"].id)},
    "/cases/{id}/dismiss": lambda ask: {"reason": "Nothing is wrong."},
    "/cases/{id}/confirm": lambda ask: {"how": "test_drive", "note": "It is quiet."},
    "/cases/{id}/reopen": lambda ask: {"reason": "It was."},
    "/cases/{id}/offer": lambda ask: {
        "kind": "drop_off",
        "window": [one.isoformat() for one in ask._windows["drop_off"][:2]],
    },
    "/cases/{id}/book": lambda ask: {"kind": "drop_off", "window": ask._windows["drop_off"][0].isoformat()},
    "/offers/{id}/accept": lambda ask: {"choice": "1"},
    "/offers/{id}/decline": _nothing,
    "/bookings/{id}/arrive": _nothing,
    "/bookings/{id}/start": _nothing,
    "/bookings/{id}/pause": lambda ask: {"awaits": "part", "what": "Thermostat", "moment": ask._later()},
    "/bookings/{id}/resume": _nothing,
    "/bookings/{id}/estimates": lambda ask: {
        "title": "Front pads",
        "parts": "129,90",
        "labour": "60",
        "urgency": "soon",
    },
    "/estimates/{id}/answer": lambda ask: {"answer": "approved"},
    "/estimates/{id}/withdraw": _nothing,
    "/bookings/{id}/finish": lambda ask: {"finding": "A hose was loose."},
    "/bookings/{id}/hand-over": _nothing,
    "/bookings/{id}/cancel": lambda ask: {"reason": "They cannot come."},
    "/bookings/{id}/move": lambda ask: {"window": ask._start()},
    "/bookings/{id}/promise": lambda ask: {"time": "17:30"},
    "/bookings/{id}/words": lambda ask: {"template": "waiting"},
    "/legs/{id}/move": lambda ask: {"event": "on_the_way"},
    "/legs/{id}/assign": lambda ask: {"driver": str(ask.made.people["second driver"].id)},
    "/vehicles/{id}/enrol": _nothing,
    "/vehicles/{id}/revoke": _nothing,
    "/vehicles/{id}/owner": lambda ask: {"owner": str(ask.made.rows["owners"])},
    "/vehicles/{id}/corrections": lambda ask: {"signal": "70", "unit": "psi"},
    "/corrections/{id}/undo": _nothing,
    "/quarantine/{id}/accept": _nothing,
    "/quarantine/{id}/reject": _nothing,
    "/owners/new": lambda ask: {
        "name": "New Owner",
        "phone": f"+4917604{next(ask._count):06}",
        "language": "de",
        "channel": "phone",
        "zone": "Europe/Berlin",
    },
    "/owners/{id}": lambda ask: {
        "name": "Owner",
        "phone": ask.made.owner_phone,
        "language": "de",
        "channel": "phone",
        "zone": "Europe/Berlin",
    },
    "/owners/reach": _nothing,
    "/owners/{id}/consents": lambda ask: {"purpose": "service", "given": "yes", "wording": "Said so on the telephone."},
    "/owners/{id}/erase": lambda ask: {"name": "not theirs"},  # so that nobody is erased whom the next door needs
    "/owners/{id}/texts": lambda ask: {"body": "We will ring."},
    "/owners/{id}/read": _nothing,
    "/inbox/{id}/texts": lambda ask: {"body": "We will ring."},
    "/inbox/{id}/draft": lambda ask: {"body": "We will"},
    "/inbox/{id}/read": _nothing,
    "/inbox/{id}/assign": lambda ask: {"staff": "nobody"},
    "/inbox/{id}/snooze": lambda ask: {"until": "tomorrow"},
    "/inbox/{id}/notes": lambda ask: {"note": "She prefers mornings."},
    "/quick-replies": lambda ask: {"title": "Thanks", "language": "en", "body": "Thank you, {owner}."},
    "/quick-replies/{id}/drop": _nothing,
    "/strangers/{id}/read": _nothing,
    "/texts/measure": lambda ask: {"body": "We will ring."},
    "/import": lambda ask: {"act": "check"},
    "/staff": lambda ask: {
        "name": "New Person",
        "email": f"new{next(ask._count)}@{ask.made.canary.lower()}.example",
        "role": "advisor",
    },
    "/staff/{id}/skills": lambda ask: {"skill": ["mechanical"]},
    "/staff/{id}/absences": lambda ask: {"from": "2027-06-01T08:00", "until": "2027-06-01T17:00", "reason": "training"},
    "/staff/{id}/absences/end": lambda ask: {"absence": str(ask.made.rows.get("absences", 0))},
    "/staff/{id}/disable": _nothing,
    "/staff/{id}/enable": _nothing,
    "/staff/{id}/invite": _nothing,
    "/staff/{id}/reset": _nothing,
    "/staff/{id}/second-factor": _nothing,
    "/staff/{id}/role": lambda ask: {"role": "technician"},
    "/settings": _settings,
    "/settings/resources": lambda ask: {"kind": "bay", "name": f"Bay {next(ask._count)}"},
    "/settings/resources/retire": lambda ask: {"resource": str(NOBODYS)},  # so that the next door finds a free bay
    "/first-run": lambda ask: {"step": "driver"},
    "/first-run/text": _nothing,
    "/vehicles/new": lambda ask: {
        "vin": f"WTTBDADD{ask.made.canary[-1]}{next(ask._count):08}",
        "title": "A car",
        "profile": "petrol_hatch",
        "owner": str(ask.made.rows["owners"]),
    },
    "/staff/{id}/reach": lambda ask: {"name": "New Name", "phone": f"+4917604{next(ask._count):06}"},
    "/settings/keys": lambda ask: {
        "label": f"key {next(ask._count)}",
        "scope": ["cases:read", "owners:write"],
        "days": "30",
    },
    "/settings/keys/revoke": lambda ask: {"label": f"second {ask.made.canary}"},
    **{
        f"/o/{{token}}/{act}": _visit for act in ("accept", "fresh", "decline", "cancel", "move", "extra", "extra/ring")
    },
    "/o/{token}/ask": lambda ask: {"words": "When is it ready?", "key": "a"},
    "/o/{token}/preferences": lambda ask: {
        "language": "de",
        "channel": "phone",
        "quiet_from": "20:00",
        "quiet_to": "08:00",
    },
    "/o/{token}/stop": _nothing,
    "/o/{token}/start": _nothing,
    "/f/{token}": lambda ask: {"score": "4", "words": "Good."},
    "/u/{token}": lambda ask: {"List-Unsubscribe": "One-Click"},
    "/u/{token}/start": _nothing,
    "/witnesses/{id}/seen": _nothing,
    "/security/calendar": lambda ask: {"act": "make"},
    "/settings/calendar": lambda ask: {"act": "make"},
    "/d/{token}/handover": _record,
    "/driver/handover": _record,
    "/d/{token}/photo": _shot,
    "/driver/photo": _shot,
    "/d/{token}/move": lambda ask: {"leg": str(ask.made.rows["legs"]), "event": "on_the_way"},
    "/d/{token}/position": lambda ask: {"leg": str(ask.made.rows["legs"]), "place": "53.55030,9.99200"},
    "/driver/position": lambda ask: {"leg": str(ask.made.rows["legs"]), "place": "53.55030,9.99200"},
    "/driver/move": lambda ask: {"leg": str(ask.made.rows["legs"]), "event": "on_the_way"},
    "/inbound/phone": lambda ask: {"from": ask.made.owner_phone, "to": ask.made.dealer.phone, "body": "hello"},
    "/inbound/mail": _nothing,  # a mail, which is no form
    "/inbound/twilio": lambda ask: {
        "MessageSid": "SM1",
        "From": ask.made.owner_phone,
        "To": ask.made.dealer.phone,
        "Body": "hello",
    },
    "/inbound/twilio/status": lambda ask: {"From": ask.made.dealer.phone, "MessageStatus": "delivered"},
}
