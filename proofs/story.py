"""The guiding story, played once in a home of its own and observed only from outside.

Each step is a function that looks (as staff through the API, as owner through the phone, as anybody on MQTT),
does what that person would do, and says what it saw. The acceptance tests use the same functions.
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp

from proofs import handing_over
from proofs.outside import Ear, Handset, NotSeen, Staff, eventually
from rules.service.handover import SIDES
from schemas.handover import HandoverKind

PATIENCE_S = 120.0  #: for each step: at ten minutes a second an owner's night is 72 of them, and a machine may be busy


@dataclass
class Scene:
    """Who plays, and what the steps have found out so far."""

    base: str
    ear: Ear
    advisor: Staff
    driver: Staff
    technician: Staff
    owner: Handset
    staff_phones: Mapping[str, Handset]
    passwords: dict[str, tuple[str, str]]  # role -> e-mail, password
    vin: str
    healthy_vin: str
    rules: frozenset[str]  # what this fault may be called
    dealer_number: str
    kill: Callable[[str], None] = lambda service: None
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def case(self) -> int:
        """The id of the story's case."""
        return int(self.found["case"])


Step = Callable[[Scene], Awaitable[str]]


async def desk_opens(scene: Scene) -> str:
    """The desk answers and its staff can sign in."""

    async def sign_in() -> bool | None:
        for who, role in ((scene.advisor, "advisor"), (scene.driver, "driver"), (scene.technician, "technician")):
            await who.sign_in(*scene.passwords[role])
        return True

    await eventually(sign_in, PATIENCE_S, "staff signs in")
    return f"advisor, driver and technician are signed in at {scene.base}"


async def car_speaks(scene: Scene) -> str:
    """The car's unit publishes what it hears on the CAN bus."""

    async def look() -> int | None:
        return scene.ear.heard.get(scene.vin)

    messages = await eventually(look, PATIENCE_S, f"telemetry of {scene.vin}")
    return f"{messages} message(s) of {scene.vin} on MQTT"


async def car_is_heard(scene: Scene) -> str:
    """What the car said is readable through the API."""

    async def look() -> dict[str, Any] | None:
        cars = await scene.advisor.get("/vehicles", vin=scene.vin)
        return next((car for car in cars["items"] if car["vin"] == scene.vin and car["last_heard_at"]), None)

    car = await eventually(look, PATIENCE_S, "readings at the dealer")
    scene.found["vehicle"] = car["id"]
    return f"{car['title']}, last heard {car['last_heard_at']}"


async def gateway_is_killed(scene: Scene) -> str:
    """kill -9 in the middle of the traffic; the supervisor starts it again."""
    scene.kill("gateway")
    return "the gateway was killed with kill -9"


async def alert_reaches_the_dealer(scene: Scene) -> str:
    """The rule sees the fault and says why, with evidence."""

    async def look() -> dict[str, Any] | None:
        alerts = await scene.advisor.get("/alerts", vehicle=scene.found["vehicle"], state="active")
        return next((alert for alert in alerts["items"] if alert["rule"] in scene.rules), None)

    alert = await eventually(look, PATIENCE_S, f"an active alert of {' or '.join(sorted(scene.rules))}")
    whole = await scene.advisor.get(f"/alerts/{alert['id']}")
    if not whole["evidence"].get("because"):
        raise NotSeen("the alert has no evidence")
    scene.found["alert"], scene.found["rule"] = alert["id"], alert["rule"]
    return f"{alert['rule']} ({alert['severity']}): {alert['because']}"


async def case_stands_in_the_queue(scene: Scene) -> str:
    """One case for one car, with its severity."""

    async def look() -> dict[str, Any] | None:
        cases = await scene.advisor.get("/cases")
        return next((case for case in cases["items"] if case["vehicle_id"] == scene.found["vehicle"]), None)

    case = await eventually(look, PATIENCE_S, "a case in the queue")
    scene.found["case"] = case["id"]
    scene.found["severity"] = case["severity"]
    return f"case {case['id']}, {case['severity']}: {case['title']}"


async def staff_is_told(scene: Scene) -> str:
    """A soon or now case reaches the advisor who is not looking."""
    if scene.found["severity"] == "advice":
        return "advice only: the queue is enough"
    phone = scene.staff_phones["advisor"]

    async def look() -> str | None:
        return next(
            (text["body"] for text in await phone.texts() if text["body"].endswith(f"/cases/{scene.case}")), None
        )

    return await eventually(look, PATIENCE_S, "a notice of this case on the advisor's phone")


async def advisor_takes_it(scene: Scene) -> str:
    """Somebody owns the case."""
    case = await scene.advisor.post(f"/cases/{scene.case}/acknowledge")
    if not case["assignee_id"]:
        raise NotSeen("nobody owns the case")
    return f"owned by staff {case['assignee_id']}"


async def offer_is_made(scene: Scene) -> str:
    """Two real windows, held."""
    offer = await scene.advisor.post(f"/cases/{scene.case}/offers")  # collected, or towed if it got that bad
    scene.found["offer"] = offer
    held = {slot["choice"] for slot in offer["slots"] if slot["state"] == "held"}
    choices = {choice["choice"] for choice in offer["choices"]}
    if choices != {1, 2} or held != choices:
        raise NotSeen(f"the offer has the choices {sorted(choices)} and holds {sorted(held)}, not 1 and 2")
    return " or ".join(choice["starts_at"] for choice in offer["choices"])


async def owner_gets_one_text(scene: Scene) -> str:
    """At most two SMS parts: what, how urgent, may I drive, two windows, how to answer, how to stop."""

    async def look() -> dict[str, Any] | None:
        return next((text for text in await scene.owner.texts() if "STOP" in text["body"].upper()), None)

    text = await eventually(look, PATIENCE_S, "the offer on the owner's phone")
    if text["parts"] > 2:
        raise NotSeen(f"the offer has {text['parts']} SMS parts")
    link = re.search(r"https?://\S+/o/\S+", text["body"])
    if link is None:
        raise NotSeen("the offer has no link")
    scene.found["link"] = link.group().rstrip(".")
    return f"{text['parts']} part(s): {text['body']}"


async def link_does_nothing(scene: Scene) -> str:
    """A link preview may follow the link as often as it likes."""
    for _ in range(3):
        await scene.owner.page(scene.found["link"])
    case = await scene.advisor.get(f"/cases/{scene.case}")
    if case["state"] != "contacted":
        raise NotSeen(f"after GETs the case is {case['state']}")
    return "opened three times, nothing booked"


async def owner_answers(scene: Scene) -> str:
    """The owner answers 1."""
    await scene.owner.answer(scene.dealer_number, "1")

    async def look() -> dict[str, Any] | None:
        bookings = await scene.advisor.get("/bookings", case=scene.case)
        return next(iter(bookings["items"]), None)

    booking = await eventually(look, PATIENCE_S, "a booking")
    scene.found["booking"] = booking["id"]
    first = next(choice["starts_at"] for choice in scene.found["offer"]["choices"] if choice["choice"] == 1)
    if _moment(booking["starts_at"]) != _moment(first):
        raise NotSeen(f"booked {booking['starts_at']}, answered {first}")
    return f"booking {booking['id']}: {booking['wall_start']} {booking['zone']}"


async def owner_is_confirmed(scene: Scene) -> str:
    """The booking is confirmed by text."""
    return await _owner_hears(scene, "booked")


async def driver_sets_out(scene: Scene) -> str:
    """The driver finds the collection in today's list and goes."""

    async def look() -> list[dict[str, Any]] | None:
        legs = [
            leg for leg in (await scene.driver.get("/legs"))["items"] if leg["booking_id"] == scene.found["booking"]
        ]
        return legs if {leg["kind"] for leg in legs} == {"collect", "return"} else None

    legs = await eventually(look, PATIENCE_S, "a collect and a return leg")
    scene.found["legs"] = {leg["kind"]: leg["id"] for leg in legs}
    return await _drive(scene, "collect", "on_the_way")


async def driver_collects(scene: Scene) -> str:
    """Keys handed over; the owner is told."""
    return await _drive(scene, "collect", "collected")


async def car_arrives(scene: Scene) -> str:
    """The car is at the workshop and the case with it."""
    seen = await _drive(scene, "collect", "at_workshop")
    case = await scene.advisor.get(f"/cases/{scene.case}")
    if case["state"] != "in_workshop":
        raise NotSeen(f"the case is {case['state']}")
    return seen


async def waiting_owner_is_told(scene: Scene) -> str:
    """The desk shows how long the owner has not heard from us; two clicks send a true word."""
    await scene.technician.post(f"/bookings/{scene.found['booking']}/start")
    waiting = await scene.advisor.get("/waiting")
    mine = next((one for one in waiting["items"] if one["booking_id"] == scene.found["booking"]), None)
    if mine is None:
        raise NotSeen("the booking is not on the waiting board")
    await scene.advisor.post(f"/bookings/{scene.found['booking']}/messages", template="waiting")
    return f"after {mine['minutes_since_word']} min: {await _owner_hears(scene, 'waiting')}"


async def workshop_repairs(scene: Scene) -> str:
    """Repaired, says the workshop; the case is only verifying."""
    await scene.technician.post(f"/bookings/{scene.found['booking']}/finish", finding="repaired and tested")
    case = await scene.advisor.get(f"/cases/{scene.case}")
    if case["state"] != "verifying":
        raise NotSeen(f"the case is {case['state']}")
    return await _owner_hears(scene, "ready")


async def driver_brings_it_back(scene: Scene) -> str:
    """On the way back."""
    return await _drive(scene, "return", "on_the_way_back")


async def car_is_handed_over(scene: Scene) -> str:
    """The owner has the car again: four photos and a signature first."""
    booking = scene.found["booking"]
    for side in SIDES:
        query = {"kind": "return", "view": side.value, "key": f"story-{side.value}"}
        await scene.driver.send(f"/bookings/{booking}/photos", query, handing_over.picture(), "image/jpeg")
    facts = handing_over.facts(HandoverKind.RETURN, booking)
    await scene.driver.post(f"/bookings/{booking}/handovers", kind="return", **facts)
    return await _drive(scene, "return", "handed_over")


async def car_proves_it(scene: Scene) -> str:
    """The rule's own proof closes the case: the car, not the workshop."""

    async def look() -> dict[str, Any] | None:
        case = await scene.advisor.get(f"/cases/{scene.case}")
        return dict(case) if case["state"] == "done" else None

    case = await eventually(look, PATIENCE_S, "the car's own proof")
    proof = next(change["reason"] for change in reversed(case["history"]) if change["new"] == "done")
    return f"done: {proof}"


async def owner_gets_the_all_clear(scene: Scene) -> str:
    """Only now the owner hears that all is well."""
    return await _owner_hears(scene, "all_clear")


async def owner_is_asked_once(scene: Scene) -> str:
    """One question, and the answer is kept."""
    text = await _owner_hears(scene, "feedback")
    await scene.owner.answer(scene.dealer_number, "5")

    async def look() -> dict[str, Any] | None:
        case = await scene.advisor.get(f"/cases/{scene.case}")
        return case["feedback"] if (case.get("feedback") or {}).get("score") else None

    feedback = await eventually(look, PATIENCE_S, "the answer at the desk")
    return f"{text} -> {feedback['score']}"


async def healthy_car_causes_nothing(scene: Scene) -> str:
    """A cold morning, a top-up and short trips are no faults."""
    cars = await scene.advisor.get("/vehicles", vin=scene.healthy_vin)
    healthy = next(car for car in cars["items"] if car["vin"] == scene.healthy_vin)
    alerts = [
        a
        for a in (await scene.advisor.get("/alerts", vehicle=healthy["id"]))["items"]
        if a["state"] in ("active", "resolved")
    ]
    cases = (await scene.advisor.get("/cases", vehicle=healthy["id"]))["items"]
    if alerts or cases:
        raise NotSeen(
            f"the healthy car caused {len(alerts)} alert(s) and {len(cases)} case(s): {[a['because'] for a in alerts]}"
        )
    if not healthy["last_heard_at"]:
        raise NotSeen("the healthy car was never heard")
    return f"{healthy['title']} was heard and caused nothing"


async def nobody_is_told_twice(scene: Scene) -> str:
    """Each fault of the story's car is one alert, and no text came twice."""
    alerts = (await scene.advisor.get("/alerts", vehicle=scene.found["vehicle"]))["items"]
    told = [(alert["rule"], alert["component"]) for alert in alerts if alert["state"] in ("active", "resolved")]
    if scene.found["rule"] not in {rule for rule, _ in told} or len(told) != len(set(told)):
        raise NotSeen(f"these alerts were raised: {told}")
    bodies = [text["body"] for text in await scene.owner.texts()]
    if len(bodies) != len(set(bodies)):
        raise NotSeen("a text came twice")
    scene.found["alerts"] = sorted(" ".join(one) for one in told)
    return f"{len(told)} alert(s): {', '.join(scene.found['alerts'])}; {len(bodies)} texts, all different"


STEPS: tuple[Step, ...] = (
    desk_opens,
    car_speaks,
    car_is_heard,
    alert_reaches_the_dealer,
    case_stands_in_the_queue,
    staff_is_told,
    advisor_takes_it,
    offer_is_made,
    owner_gets_one_text,
    link_does_nothing,
    owner_answers,
    owner_is_confirmed,
    driver_sets_out,
    driver_collects,
    car_arrives,
    waiting_owner_is_told,
    workshop_repairs,
    driver_brings_it_back,
    car_is_handed_over,
    car_proves_it,
    owner_gets_the_all_clear,
    owner_is_asked_once,
    healthy_car_causes_nothing,
    nobody_is_told_twice,
)


async def play(
    scene: Scene, steps: tuple[Step, ...] = STEPS, tell: Callable[[str], None] = lambda line: None
) -> dict[str, Any]:
    """All steps in order; the first that does not happen ends the story and is named."""
    began = time.monotonic()
    played: list[dict[str, Any]] = []
    for step in steps:
        at = time.monotonic()
        try:
            seen, ok = await step(scene), True
        except (NotSeen, KeyError, StopIteration, aiohttp.ClientError, TimeoutError) as error:
            seen, ok = f"{type(error).__name__}: {error}" if not isinstance(error, NotSeen) else str(error), False
        played.append({"name": step.__name__, "ok": ok, "seconds": round(time.monotonic() - at, 2), "seen": seen})
        mark = "✓" if ok else "✗"
        tell(f"{time.monotonic() - began:6.1f} s  {mark} {step.__name__.replace('_', ' ')}: {seen}")
        if not ok:
            break
    ok = len(played) == len(steps) and all(step["ok"] for step in played)
    return {
        "ok": ok,
        "seconds": round(time.monotonic() - began, 1),
        "steps": played,
        "alerts": scene.found.get("alerts"),
    }


def with_kill(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The same story with the gateway killed while the fault is still being judged."""
    at = steps.index(car_is_heard) + 1
    return (*steps[:at], gateway_is_killed, *steps[at:])


async def _owner_hears(scene: Scene, kind: str) -> str:
    """The desk says which text it was, the phone shows that it came, word for word."""

    async def look() -> str | None:
        lines = (await scene.advisor.get(f"/cases/{scene.case}"))["conversation"]
        meant = [line["body"] for line in lines if line["direction"] == "out" and line["kind"] == kind]
        arrived = {text["body"] for text in await scene.owner.texts()}
        return next((body for body in meant if body in arrived), None)

    return await eventually(look, PATIENCE_S, f"the text {kind!r} on the owner's phone")


async def _drive(scene: Scene, leg: str, event: str) -> str:
    await scene.driver.post(f"/legs/{scene.found['legs'][leg]}/move", event=event)
    return await _owner_hears(scene, event)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def tell(line: str) -> None:
    """A line for people: standard error, so that --json stays one object."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
