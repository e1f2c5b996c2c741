"""Texts that come in: one pair of doors for each provider of the register."""

from __future__ import annotations

from aiohttp import web

from dealer_api.inbound import mail, webhooks
from providers.register import ProviderSettings, inbound


def trust(settings: ProviderSettings, app: web.Application) -> None:
    """Whose signatures are believed; without a provider's secret not that provider's."""
    app[webhooks.TRUSTED] = inbound(settings)
    app[mail.SECRET] = settings.mail_secret.get_secret_value()
