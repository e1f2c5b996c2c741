"""Cars: the list with an honest word on freshness, and one car with its values, gaps and refusals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from actions import vehicles as acts
from dealer_api import feeds, reader
from dealer_api import permissions as may
from dealer_api.app_keys import Call, call
from dealer_api.bodies import row_number
from dealer_api.charts import number, unit_symbol
from dealer_api.desk import corrections, formatting, saved_views
from dealer_api.desk.chart_views import chart, measured
from dealer_api.desk.page import form, go, id_of, page, refused, row_of
from dealer_api.desk.paging import SHOWN, after_name, onward
from dealer_api.finding import ids_of
from schemas.correction import in_force
from schemas.errors import TelltaleError
from schemas.moment import from_epoch
from schemas.reading import boot_of
from schemas.signal import BY_ID, BY_PATH, Signal
from store import corrections as correction_rows
from store import fleet, gaps, latest, owners
from store.views import people, quarantine_page, vehicles_page

QUIET = timedelta(hours=1)  #: a car that drives reports far more often
DOUBLED = timedelta(days=2)  #: so long after they were last heard two units are still shown
SILENT = timedelta(days=7)  #: what it said last is no longer news
SPANS = ((1, "Last hour"), (6, "Last 6 hours"), (24, "Last 24 hours"), (168, "Last 7 days"), (720, "Last 30 days"))
#: Part of a signal's path -> heading; the first that fits counts.
_PARTS = (
    (".Tire.", "Tyres"),
    (".Brake.", "Brakes"),
    ("TractionBattery", "Traction battery"),
    ("LowVoltage", "12 V system"),
    ("CombustionEngine", "Engine"),
    ("Transmission", "Transmission"),
    (".OBD.", "Diagnostics"),
    (".Service.", "Service"),
    ("", "Driving"),
)
_TENTHS = {"V", "kPa", "Celsius", "percent"}


@dataclass(frozen=True, slots=True)
class Value:
    """The newest value of one signal."""

    id: int
    title: str
    value: str
    age: str
    old: bool


async def show_list(request: web.Request) -> web.Response:
    caller, now = call(request), call(request).house.now()
    search, which = request.query.get("search", "").strip()[:100], request.query.get("show", "all")
    which = which if which in ("all", "silent", "case") else "all"
    after, since = after_name(request), now - SILENT
    async with caller.house.at(caller.dealer_id) as connection:
        ids = await ids_of(caller, connection, search, "vehicle")
        cars = await vehicles_page.cars(
            connection, caller.dealer_id, ids=ids, which=which, silent_since=since, after=after, limit=SHOWN + 1
        )
        whole = await vehicles_page.count(connection, caller.dealer_id, ids=ids, which=which, silent_since=since)
        views = await saved_views.of(request, connection, "vehicles")
    last = cars[SHOWN - 1] if len(cars) > SHOWN else None
    return await page(
        request,
        "vehicles.html",
        cars=cars[:SHOWN],
        whole=whole,
        more=onward("/vehicles", (last.title, last.id), show=which, search=search) if last else None,
        onward=after is not None,
        search=search,
        show=which,
        here=request.path_qs,
        freshness=lambda heard, enrolled, revoked: freshness(heard, enrolled, revoked, now),
        **views,
    )


async def show(request: web.Request) -> web.Response:
    return await _page(request, id_of(request))


async def enrol(request: web.Request) -> web.Response:
    """The password is on the answer to this very form and nowhere else."""
    caller = call(request)
    try:
        credentials = await acts.enrol(caller, id_of(request))
    except TelltaleError as error:
        return refused(error, f"/vehicles/{id_of(request)}")
    return await _page(request, id_of(request), secret=credentials.password)


async def revoke(request: web.Request) -> web.Response:
    caller, vehicle_id = call(request), id_of(request)
    try:
        await acts.revoke(caller, vehicle_id, "revoked at the desk")
    except TelltaleError as error:
        return refused(error, f"/vehicles/{vehicle_id}")
    return go(f"/vehicles/{vehicle_id}", "Revoked. The car is cut off within seconds.")


async def give(request: web.Request) -> web.Response:
    """Say who owns it. A new owner sees nothing of the former one's."""
    caller, vehicle_id = call(request), id_of(request)
    text = (await form(request)).get("owner", "")
    try:
        owner_id = row_of(text, "owner", "choose who owns the car")
        async with caller.house.at(caller.dealer_id) as connection:
            await owners.get(connection, caller.dealer_id, owner_id)
        await acts.update(caller, vehicle_id, {"owner_id": owner_id})
    except TelltaleError as error:
        return refused(error, f"/vehicles/{vehicle_id}")
    return go(f"/vehicles/{vehicle_id}", "The owner is set.")


def freshness(
    heard: datetime | None,
    enrolled: datetime | None,
    revoked: datetime | None,
    now: datetime,
    history: datetime | None = None,
) -> tuple[str, str, str, str]:
    """Short word, look, sentence, and what that means. Never 'healthy': only how fresh our knowledge is.

    `history`: until when its values are known from a file, where it has not spoken itself.
    """
    if revoked is not None:
        return "Revoked", "bad", "Its credentials are revoked.", "It cannot speak to us until it is enrolled again."
    if heard is None and history is not None:
        return (
            "History only",
            "warn",
            f"What is known of this car came from a file, the newest of it {formatting.ago(history, now)}.",
            "It has not spoken itself: put its credentials into its unit, or bring in the next file.",
        )
    if heard is None and enrolled is None:
        return "Not enrolled", "warn", "This car cannot speak yet.", "Enrol it and put the credentials into its unit."
    if heard is None:
        return (
            "Never heard",
            "warn",
            "We have never heard from this car.",
            "Its unit may not be installed, or its credentials may be wrong. We can say nothing about it.",
        )
    age = now - heard
    if age < QUIET:
        return (
            f"Heard {formatting.ago(heard, now)}",
            "good",
            f"Last heard {formatting.ago(heard, now)}.",
            "What stands here is fresh.",
        )
    if age < SILENT:
        return (
            f"Heard {formatting.ago(heard, now)}",
            "calm",
            f"Last heard {formatting.ago(heard, now)}.",
            "It is parked, or out of reach; the values are from then.",
        )
    return (
        f"Silent {formatting.span(age)}",
        "warn",
        f"Last heard {formatting.ago(heard, now)}.",
        "We do not know how it is now. A silent car is not a healthy car.",
    )


async def _page(request: web.Request, vehicle_id: int, secret: str | None = None) -> web.Response:
    caller = call(request)
    now, zone = caller.house.now(), caller.dealer.zone
    async with caller.house.at(caller.dealer_id) as connection:
        car = await fleet.get(connection, caller.dealer_id, vehicle_id)
        newest = await latest.of_vehicle(connection, caller.dealer_id, vehicle_id)
        known = _signals(newest[1] if newest else {})
        chosen = _chosen(request.query.get("signal", ""), known)
        until = max(now, newest[0]) if newest else now
        span_h = _span(request.query.get("span", ""), until - newest[0] if newest else timedelta(0))
        points = (
            await vehicles_page.values(
                connection,
                caller.dealer_id,
                vehicle_id=vehicle_id,
                signal_id=chosen.id,
                since=until - timedelta(hours=span_h),
                until=until,
            )
            if chosen
            else []
        )
        read_as = in_force(await correction_rows.of_vehicle(connection, caller.dealer_id, vehicle_id), now)
        values = latest.as_read(newest[1], read_as) if newest else {}
        if chosen is not None and (unit := read_as.get(chosen.id)) is not None:
            points = [(ts, unit.read(value)) for ts, value in points]
        lacking = await feeds.not_watched(caller, connection, car, heard=newest[1], newest=newest[0]) if newest else []
        found_codes = await vehicles_page.codes(connection, caller.dealer_id, vehicle_id, now - timedelta(days=30))
        facts: dict[str, Any] = {
            "owner": await owners.get(connection, caller.dealer_id, car.owner_id) if car.owner_id else None,
            "cases": await vehicles_page.cases(connection, caller.dealer_id, vehicle_id),
            "gaps": (await gaps.of_dealer(connection, caller.dealer_id, vehicle_id, only_open=False))[:12],
            "doubled": await vehicles_page.two_units(connection, caller.dealer_id, vehicle_id, now - DOUBLED),
            "unit": await vehicles_page.unit(connection, caller.dealer_id, vehicle_id),
            "refused": await quarantine_page.reasons(connection, caller.dealer_id, vehicle_id),
            "units": await corrections.of_car(caller, connection, vehicle_id),
            "owners": await people.owners(
                connection,
                caller.dealer_id,
                ids=await ids_of(caller, connection, request.query.get("owner", "").strip()[:100], "owner"),
                limit=SHOWN + 1,
            ),
        }
    hints, hinted_at = _hints(newest[2] if newest else {})
    fresh = freshness(
        car.last_heard_at, car.enrolled_at, revoked=car.revoked_at, now=now, history=newest[0] if newest else None
    )
    profile = caller.house.profiles.get(car.profile)
    return await page(
        request,
        "vehicle.html",
        **facts,
        most=SHOWN,
        looked_for=request.query.get("owner", "").strip()[:100],
        car=car,
        fresh=fresh,
        secret=secret,
        boot_of=boot_of,
        corrects=caller.may(may.CORRECT_UNITS),
        here=request.path_qs,
        profile=profile.title if profile else car.profile,
        signals=known,
        chosen=chosen,
        spans=SPANS,
        span_h=span_h,
        span_title=dict(SPANS)[span_h].lower().removeprefix("last "),
        chart=_chart(chosen, points, zone, now),
        groups=_groups(values, now),
        latest_at=newest[0] if newest else None,
        hints=hints,
        hinted_at=hinted_at,
        unwatched=sorted(lacking, key=lambda one: not one.why),  # how it sends can be mended, what it lacks seldom
        codes=_codes(caller, found_codes),
        open_case=next((case for case in facts["cases"] if case["state"] not in ("done", "dismissed")), None),
    )


def _signals(values: Mapping[str, Any]) -> list[Signal]:
    return sorted((BY_PATH[path] for path in values if path in BY_PATH), key=lambda signal: signal.id)


def _chosen(asked: str, known: list[Signal]) -> Signal | None:
    number = row_number(asked)
    if number in BY_ID:
        return BY_ID[number]
    wanted = ("Vehicle.LowVoltageBattery.CurrentVoltage", "Vehicle.Powertrain.TractionBattery.StateOfCharge.Current")
    return next((BY_PATH[path] for path in wanted if BY_PATH[path] in known), next(iter(known), None))


def _span(asked: str, age: timedelta) -> int:
    """What was asked for, else the shortest span that shows something."""
    hours = [hours for hours, _ in SPANS]
    span = row_number(asked)
    if span in hours:
        return span
    return next((h for h in hours[1:] if timedelta(hours=h) > age), hours[-1])


def _chart(signal: Signal | None, points: list[tuple[float, float]], zone: str, now: datetime) -> Any:
    if signal is None or not points:
        return None
    if signal.unit == "m":
        points = [(ts, value / 1000) for ts, value in points]
    title = signal.title[:1].upper() + signal.title[1:]
    return chart(
        measured(title, "km" if signal.unit == "m" else signal.unit, points), zone, now, title=title, key="signal"
    )


def _groups(values: Mapping[str, Any], now: datetime) -> list[tuple[str, list[Value]]]:
    """The newest values by part of the car."""
    found: dict[str, list[Value]] = {}
    for signal in _signals(values):
        value, ts = values[signal.path]
        at = from_epoch(float(ts))
        shown = Value(
            signal.id,
            signal.title,
            value=quantity(signal, float(value)),
            age=formatting.ago(at, now),
            old=now - at > timedelta(days=1),
        )
        found.setdefault(next(title for part, title in _PARTS if part in signal.path), []).append(shown)
    return [(title, found[title]) for title in dict.fromkeys(title for _, title in _PARTS) if title in found]


def _hints(hint: Mapping[str, Any]) -> tuple[list[tuple[str, str]], datetime | None]:
    """What the car showed when it came back, before its backlog: named and shown, never judged."""
    values, at = hint.get("values") or {}, hint.get("at")
    shown = [
        (BY_PATH[path].title, quantity(BY_PATH[path], float(value)))
        for path, value in values.items()
        if path in BY_PATH and value is not None
    ]
    return shown[:8], from_epoch(float(at)) if at else None


def quantity(signal: Signal, value: float) -> str:
    """A value as people write it: metres of an odometer as kilometres, 1 as yes."""
    if signal.unit == "bool":
        return "yes" if value else "no"
    if signal.unit == "m":
        return f"{number(round(value / 1000), 'en')} km"
    if signal.unit == "s" and abs(value) >= 60:
        return ("overdue by " if value < 0 else "") + formatting.span(timedelta(seconds=abs(value)))
    if signal.unit in ("count", "id", "enum"):
        return number(value, reader.locale())
    return f"{number(value, 'en', step=0.1 if signal.unit in _TENTHS else None)} {unit_symbol(signal.unit)}".strip()


def _codes(caller: Call, found: tuple[datetime, dict[str, Any]] | None) -> dict[str, Any] | None:
    if found is None:
        return None
    at, body = found
    codes = [
        {
            "code": str(code.get("code", "")),
            "status": str(code.get("status", "")),
            "words": _code_words(caller, str(code.get("code", ""))),
        }
        for code in body.get("codes", [])
        if isinstance(code, dict)
    ]
    return {"at": at, "list": codes, "mil": bool(body.get("mil"))}


def _code_words(caller: Call, code: str) -> str:
    words = str(caller.house.wording.what("en", "trouble_code", code, "soon"))
    return words[:1].upper() + words[1:]
