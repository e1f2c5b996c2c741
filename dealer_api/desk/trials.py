"""Rules on trial: what each has found at this dealer's cars, and what came of it. Whoever promotes a rule has looked
here first."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from dealer_api.app_keys import Call, call
from dealer_api.desk.page import page
from rules.catalogue import BY_NAME
from rules.service import pacing
from schemas.slot import ResourceKind
from store import slots, stages, trials
from store.trials import Find, Tried

_STAGES = {"shadow": ("On trial", "calm"), "live": ("Speaks", "good"), "off": ("Switched off", "warn")}


@dataclass(frozen=True, slots=True)
class Shown:
    """One find as it is drawn: what the car says, and what came of it."""

    find: Find
    what: str
    outcome: str
    look: str


@dataclass(frozen=True, slots=True)
class Trial:
    """One rule's trial as it is drawn."""

    title: str
    stage: str
    look: str
    why: str
    tried: Tried
    speaks: bool
    finds: tuple[Shown, ...]


async def show(request: web.Request) -> web.Response:
    """Every rule that is on trial or has come from one, with its finds."""
    caller = call(request)
    async with caller.house.at(caller.dealer_id) as connection:
        moved = await stages.stages(connection)
        counts = await trials.tried(connection, caller.dealer_id)
        found = await trials.finds(connection, caller.dealer_id)
        bays = sum(one.kind is ResourceKind.BAY for one in await slots.resources(connection, caller.dealer_id))
    known = {one.rule: one for one in counts}
    on_trial = [rule.name for rule in BY_NAME.values() if stages.stage_of(rule.name, rule.stage, moved) == "shadow"]
    rules = [name for name in BY_NAME if name in known or name in on_trial]
    drawn = [
        _trial(
            caller,
            name,
            tried=known.get(name, Tried(name, 0, standing=0, waiting=0, withdrawn=0, repaired=0)),
            found=found,
            moved=moved,
        )
        for name in rules
    ]
    pace = pacing.visits_a_day(caller.dealer, bays, caller.house.now())
    return await page(request, "trials.html", trials=drawn, pace=pace, here=request.path_qs)


def _trial(caller: Call, name: str, tried: Tried, found: list[Find], moved: dict[str, stages.Stage]) -> Trial:
    stage = stages.stage_of(name, BY_NAME[name].stage, moved)
    title, look = _STAGES[stage]
    why = moved[name].reason if name in moved else ""
    shown = tuple(_shown(caller, find) for find in found if find.rule == name)
    return Trial(BY_NAME[name].title, title, look=look, why=why, tried=tried, speaks=stage == "live", finds=shown)


def _shown(caller: Call, find: Find) -> Shown:
    said = caller.house.wording.what("en", find.rule, find.component, find.severity)
    return Shown(find, said[:1].upper() + said[1:], *_outcome(find))


def _outcome(find: Find) -> tuple[str, str]:
    """What came of it; a repair of the car says more than anything the rule says itself."""
    if find.repaired_at is not None:
        return "The car was repaired", "good"
    if find.state == "withdrawn":
        return "Rested on a wrong reading", "warn"
    if find.state == "resolved":
        return "Went away by itself", "calm"
    return ("Stands", "warn") if find.spoke_at is None else ("Before the desk", "info")
