"""Ways to a person: one channel per file, written out in CHANNELS. Without a provider everything goes to the demo phone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from schemas.errors import Misconfigured
from store.pool import Pool
from workers.channels.channel import Blocked, Busy, Channel, Lookup, Receipt
from workers.channels.email import EmailChannel
from workers.channels.phone import PhoneChannel
from workers.channels.sms import API, SmsChannel

__all__ = ["CHANNELS", "Blocked", "Busy", "Channel", "ChannelSettings", "EmailChannel", "Lookup", "Receipt", "PhoneChannel", "SmsChannel", "known", "open_channels"]

#: The names that owners choose and messages carry.
CHANNELS = ("phone", "sms", "email")
_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
ALIASES = {"twilio": "sms"}  #: a provider's name where a channel's is meant


def known(channel: str) -> str:
    """The channel's name where names are counted: what nobody knows is one kind."""
    return channel if channel in (*CHANNELS, *ALIASES) else "other"


@dataclass(frozen=True, slots=True)
class ChannelSettings:
    """What the outside world needs to know of us; empty means that there is no such provider."""

    twilio_account: str = ""
    twilio_token: str = ""
    twilio_from: str = ""
    twilio_callback: str = ""
    twilio_api: str = API
    smtp_url: str = ""
    mail_from: str = ""


def open_channels(settings: ChannelSettings, pool: Pool, clock: Callable[[], datetime], *, time_lapse: bool) -> dict[str, Channel]:
    """A channel for each name. A home in time-lapse refuses real providers: its hours are not people's hours. A Twilio
    stand-in on this machine reaches nobody, so that a rehearsal may run in time-lapse; a mail relay here may reach the world."""
    phone = PhoneChannel(pool, clock)
    found: dict[str, Channel] = dict.fromkeys((*CHANNELS, *ALIASES), phone)
    stand_in = urlsplit(settings.twilio_api).hostname in _THIS_MACHINE
    real = {"TELLTALE_TWILIO_ACCOUNT": settings.twilio_account and not stand_in, "TELLTALE_SMTP_URL": settings.smtp_url}
    for name, value in real.items():
        if value and time_lapse:
            raise Misconfigured(name, "a time-lapse sends nothing to real people: unset it, or run in real time")
    if settings.twilio_account:
        found["sms"] = found["twilio"] = SmsChannel(
            settings.twilio_account, settings.twilio_token, settings.twilio_from, callback=settings.twilio_callback, api=settings.twilio_api
        )
    if settings.smtp_url:
        found["email"] = EmailChannel(settings.smtp_url, settings.mail_from)
    return found
