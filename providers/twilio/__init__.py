"""Twilio: SMS out, in, and what became of them."""

from __future__ import annotations

import re
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator

from providers.provider import Entry, Inbound, Provider
from providers.twilio.inbound import TwilioInbound
from providers.twilio.sending import API, Twilio

_THIS_MACHINE = ("127.0.0.1", "localhost", "::1")


class TwilioSettings(BaseModel):
    """An account of Twilio's."""

    twilio_account: Annotated[str, Field(description="Twilio account SID")] = ""
    twilio_token: Annotated[SecretStr, Field(description="Twilio auth token; also checks inbound webhooks")] = (
        SecretStr("")
    )
    twilio_from: Annotated[
        str,
        Field(
            description=(
                "number that texts come from, +49…, of a dealer who has none of its own; or the SID of a "
                "messaging service, MG…"
            )
        ),
    ] = ""
    twilio_api: Annotated[
        str,
        Field(description="address of Twilio's API: another region's, or a stand-in on this machine for a rehearsal"),
    ] = API

    @field_validator("twilio_from")
    @classmethod
    def _number(cls, value: str) -> str:
        """As the provider writes it: an answer is sent to it in no other spelling."""
        number = value.strip()
        return "+" + re.sub(r"[ ()/.-]", "", number[1:]) if number.startswith("+") else number

    @field_validator("twilio_api")
    @classmethod
    def _safe(cls, value: str) -> str:
        api = urlsplit(value)
        if api.scheme != "https" and not (api.scheme == "http" and api.hostname in _THIS_MACHINE):
            raise ValueError("must begin with https://, for texts and the token go there; http:// only to this machine")
        return value.rstrip("/")


def _open(settings: Any, reports: str) -> Provider:
    return Twilio(
        settings.twilio_account,
        settings.twilio_token.get_secret_value(),
        settings.twilio_from,
        callback=reports,
        api=settings.twilio_api,
    )


def _inbound(settings: Any) -> Inbound | None:
    token = settings.twilio_token.get_secret_value()
    return TwilioInbound(token) if token else None


ENTRY = Entry(
    name="twilio",
    channel="sms",
    switch="TELLTALE_TWILIO_ACCOUNT",
    set_up=lambda settings: bool(settings.twilio_account),
    reaches_people=lambda settings: (
        urlsplit(settings.twilio_api).hostname not in _THIS_MACHINE
    ),  # a stand-in here reaches nobody
    open=_open,
    inbound=_inbound,
)
