"""Every provider, in one list, and a channel's provider out of it. Without one everything goes to the demo phone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from providers import roads, smtp, twilio
from providers.demo_phone.sending import DemoPhone
from providers.provider import Entry, Inbound, Provider
from schemas.errors import Misconfigured
from store.pool import Pool

PROVIDERS: tuple[Entry, ...] = (twilio.ENTRY, smtp.ENTRY)


class ProviderSettings(twilio.TwilioSettings, smtp.SmtpSettings, roads.RoadSettings, frozen=True):
    """What the outside world needs to know of us, provider by provider; empty means that there is none."""


#: The names that owners choose and messages carry.
CHANNELS = ("phone", "sms", "email")
ALIASES = {entry.name: entry.channel for entry in PROVIDERS}  #: a provider's name where a channel's is meant


def known(channel: str) -> str:
    """The channel's name where names are counted: what nobody knows is one kind."""
    return channel if channel in (*CHANNELS, *ALIASES) else "other"


def set_up(settings: ProviderSettings, channel: str) -> bool:
    """Whether a provider of this channel is set up."""
    return any(entry.channel == channel and entry.set_up(settings) for entry in PROVIDERS)


def open_channels(
    settings: ProviderSettings, pool: Pool, clock: Callable[[], datetime], *, time_lapse: bool, public_url: str = ""
) -> dict[str, Provider]:
    """A provider for each channel. A home in time-lapse refuses real ones: its hours are not people's hours.

    `public_url` is where providers reach us: each is told its own address for delivery reports. Raises Misconfigured.
    """
    found: dict[str, Provider] = dict.fromkeys((*CHANNELS, *ALIASES), DemoPhone(pool, clock))
    real = [entry for entry in PROVIDERS if entry.set_up(settings)]
    for entry in real:
        if time_lapse and entry.reaches_people(settings):
            raise Misconfigured(
                entry.switch, "a time-lapse sends nothing to real people: unset it, or run in real time"
            )
    for entry in real:
        reports = f"{public_url}{reports_at(entry.name)}" if public_url else ""
        found[entry.channel] = found[entry.name] = entry.open(settings, reports)
    return found


def inbound(settings: ProviderSettings) -> Mapping[str, Inbound]:
    """Who may bring texts to our door, by name: nobody without a secret that their signatures can be checked with."""
    made = {entry.name: entry.inbound(settings) for entry in PROVIDERS if entry.inbound is not None}
    return {name: one for name, one in made.items() if one is not None}


def texts_at(name: str) -> str:
    """The path to which a provider brings what owners wrote."""
    return f"/inbound/{name}"


def reports_at(name: str) -> str:
    """The path to which it says what became of a text of ours."""
    return f"/inbound/{name}/status"
