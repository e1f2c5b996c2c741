"""Somebody at the door: where they are and which browser they use. Nothing here says who they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
UNKNOWN = "unknown"

_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("SamsungBrowser", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("CriOS", "Chrome"),
    ("Chrome", "Chrome"),
    ("Safari", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """`place` is an address, `device` the browser's cookie ("" without one), `agent` what the browser calls itself."""

    place: str
    device: str = ""
    agent: str = ""

    @property
    def told(self) -> str:
        """With what and roughly where, as history tells it."""
        return f"{self.words}, {roughly(self.place)}"

    @property
    def words(self) -> str:
        """The browser in words, as in `Firefox on Windows`; anything that is no browser is a program."""
        browser = next((name for mark, name in _BROWSERS if f"{mark}/" in self.agent), None)
        system = next((name for mark, name in _SYSTEMS if mark in self.agent), None)
        if browser is None:
            program = re.match(r"[\w.\-]{1,30}", self.agent)
            return f"a program ({program[0]})" if program else "an unknown program"
        return f"{browser} on {system}" if system else browser


def roughly(place: str) -> str:
    """A place as a person is shown it: enough to recognise the office, too little to find a flat."""
    at = address(place)
    if at is None:
        return "an unknown place"
    if at.is_loopback:
        return "this machine"
    if isinstance(at, IPv4Address):
        return f"{str(at).rpartition('.')[0]}.x"
    return f"{IPv6Network((at, 48), strict=False).network_address}/48"


def neighbourhood(place: str) -> str:
    """What counts as one place: an IPv4 address, or the /64 that one household or office has of IPv6."""
    at = address(place)
    return str(IPv6Network((at, 64), strict=False).network_address) if isinstance(at, IPv6Address) else place


def address(written: str) -> Address | None:
    """203.0.113.9, 203.0.113.9:4711, ::1, [::1], [::1]:4711; an IPv4 address in IPv6's clothes is an IPv4 address."""
    text = written.strip().strip('"')
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        found = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
