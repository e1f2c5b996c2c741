"""Texts that come in, one file per provider."""

from __future__ import annotations

from aiohttp import web

from dealer_api.inbound import twilio


def trust(twilio_token: str, app: web.Application) -> None:
    """Whose signature is believed; without a token nobody's."""
    app[twilio.TOKEN] = twilio_token
