"""Somebody at the door: where they are and which browser they use. Nothing here says who they are."""

from __future__ import annotations

import re
from dataclasses import dataclass

_BROWSERS = (
    ("Edg", "Edge"), ("OPR", "Opera"), ("SamsungBrowser", "Samsung Internet"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("CriOS", "Chrome"),
    ("Chrome", "Chrome"), ("Safari", "Safari"),
)  # fmt: skip
_SYSTEMS = (
    ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"), ("Windows", "Windows"), ("CrOS", "ChromeOS"), ("Mac OS X", "Mac"), ("Linux", "Linux"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Visitor:
    """`place` is an address, `device` the browser's cookie ("" without one), `agent` what the browser calls itself."""

    place: str
    device: str = ""
    agent: str = ""

    @property
    def words(self) -> str:
        """The browser in words, as in `Firefox on Windows`; anything that is no browser is a program."""
        browser = next((name for mark, name in _BROWSERS if f"{mark}/" in self.agent), None)
        system = next((name for mark, name in _SYSTEMS if mark in self.agent), None)
        if browser is None:
            program = re.match(r"[\w.\-]{1,30}", self.agent)
            return f"a program ({program[0]})" if program else "an unknown program"
        return f"{browser} on {system}" if system else browser
