"""A mail relay."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, Field, SecretStr

from providers.provider import Entry, Provider
from providers.smtp.sending import Smtp


class SmtpSettings(BaseModel):
    """A relay that takes our mail."""

    smtp_url: Annotated[SecretStr, Field(description="mail relay, smtp://user:password@host:587")] = SecretStr("")
    mail_secret: Annotated[
        SecretStr,
        Field(
            description=(
                "secret (whsec_…) with which mail that comes in is signed, as in Standard Webhooks, when it is brought "
                "to /inbound/mail by `telltale hear-mail` or by somebody else; without it no mail is heard"
            )
        ),
    ] = SecretStr("")
    mail_from: Annotated[str, Field(description="sender of mails")] = ""


def _open(settings: Any, reports: str) -> Provider:
    return Smtp(settings.smtp_url.get_secret_value(), settings.mail_from)


ENTRY = Entry(
    name="smtp",
    channel="email",
    switch="TELLTALE_SMTP_URL",
    set_up=lambda settings: bool(settings.smtp_url.get_secret_value()),
    reaches_people=lambda settings: True,  # a relay on this machine may reach the world
    open=_open,
)
