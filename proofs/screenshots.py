"""`telltale screenshots`: the story's pages while it plays, at desk and phone width, for README, docs and a designer's
eye.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, async_playwright

from proofs import story
from proofs.playing import set_scene
from proofs.story import STEPS, Scene, Step, play, tell
from schemas.errors import Misconfigured, Unavailable
from telltale import demo_data
from telltale.demo import Demo, erase
from telltale.settings import Settings

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DESK, PHONE = {"width": 1280, "height": 860}, {"width": 390, "height": 844}
LAPSE = 240.0  # slower than the demo: the day must not end while pictures are taken
Where = Callable[[Scene], str]

#: After which step of the story, as whom (None: anybody), which page, under which name.
PAGES: tuple[tuple[Step, str | None, Where, str], ...] = (
    (story.staff_is_told, None, lambda scene: "/sign-in", "sign-in"),
    (story.staff_is_told, "advisor", lambda scene: "/queue", "desk"),
    (story.staff_is_told, "advisor", lambda scene: f"/cases/{scene.case}", "case"),
    (story.owner_gets_one_text, None, lambda scene: str(scene.found["link"]), "owner-offer"),
    (
        story.owner_gets_one_text,
        None,
        lambda scene: f"/phone?to={scene.owner.number.replace('+', '%2B')}",
        "demo-phone",
    ),
    (story.driver_sets_out, "driver", lambda scene: "/driver", "driver"),
    (story.waiting_owner_is_told, "advisor", lambda scene: "/today", "today"),
    (story.waiting_owner_is_told, "advisor", lambda scene: "/waiting", "waiting"),
    (story.waiting_owner_is_told, None, lambda scene: str(scene.found["link"]), "owner-journey"),
    (story.owner_gets_the_all_clear, "advisor", lambda scene: f"/cases/{scene.case}", "case-done"),
    (story.owner_gets_the_all_clear, "advisor", lambda scene: f"/vehicles/{scene.found['vehicle']}", "vehicle"),
)


async def main(settings: Settings, folder: Path) -> dict[str, Any]:
    """Play the story in a home of its own and stop for a picture where PAGES says so."""
    program = next(filter(None, map(shutil.which, BROWSERS)), None)
    if program is None:
        raise Misconfigured("chromium", "is not installed (on Debian: apt-get install chromium)")
    folder.mkdir(parents=True, exist_ok=True)
    home = settings.home / f"screenshots-{os.getpid()}"
    alone = settings.model_copy(
        update={"home": home, "desk_port": 0, "demo_sign_ins": True, "public_url": "", "secret": None, "lapse": LAPSE}
    )
    taken: list[str] = []
    async with contextlib.AsyncExitStack() as parts:
        demo = await parts.enter_async_context(Demo(alone, tell=tell))
        browser = await (await parts.enter_async_context(async_playwright())).chromium.launch(
            executable_path=program, args=["--no-sandbox"] if os.geteuid() == 0 else []
        )
        parts.push_async_callback(browser.close)
        scene = await set_scene(demo, 1, parts)
        played: set[Step] = set()
        for after, who, where, name in PAGES:
            steps = tuple(step for step in STEPS[: STEPS.index(after) + 1] if step not in played)
            facts = await play(scene, steps, tell)
            if not facts["ok"]:
                raise Unavailable(name, "the story broke before it: " + facts["steps"][-1]["seen"])
            played.update(steps)
            taken += await _shoot(browser, demo, who=who, where=where(scene), target=folder / name)
    erase(home)
    shutil.rmtree(home, ignore_errors=True)
    tell(f"{len(taken)} pictures in {folder}")
    return {"pictures": taken}


async def _shoot(browser: Browser, demo: Demo, who: str | None, where: str, target: Path) -> list[str]:
    taken = []
    for size, suffix in ((DESK, ""), (PHONE, "-phone")):
        context = await browser.new_context(viewport=size, device_scale_factor=1, reduced_motion=("reduce"))  # type: ignore[arg-type]
        try:
            if who is not None:
                await _sign_in(context, demo, who)
            page = await context.new_page()
            await page.goto(where if where.startswith("http") else demo.url + where, wait_until="load")
            await page.wait_for_timeout(400)  # the live connection and the fonts settle; nothing to wait for by event
            path = target.with_name(f"{target.name}{suffix}.png")
            await page.screenshot(path=path)
            taken.append(path.name)
        finally:
            await context.close()
    return taken


async def _sign_in(context: BrowserContext, demo: Demo, role: str) -> None:
    person = next(person for person in demo.cast.people if person.role.value == role)
    answer = await context.request.post(
        f"{demo.url}/api/v1/session", data={"email": person.email, "password": demo_data.PASSWORD}
    )
    if not answer.ok:
        raise Unavailable(role, f"could not sign in: {answer.status}")
