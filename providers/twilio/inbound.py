"""What Twilio brings to our door: owners' texts and delivery reports, signed with the account's token."""

from __future__ import annotations

import hmac
from collections.abc import Mapping

from providers.provider import Fate, Incoming, Report
from providers.twilio.signature import signature
from schemas.errors import BadInput

ANSWER = (
    '<?xml version="1.0" encoding="UTF-8"?><Response></Response>',
    "text/xml",
)  # our answers go through the outbox
_FATES = {"delivered": Fate.DELIVERED, "failed": Fate.LOST, "undelivered": Fate.LOST}


class TwilioInbound:
    """Whoever knows the token may speak."""

    media = "application/x-www-form-urlencoded"
    answer = ANSWER

    def __init__(self, token: str) -> None:
        self._token = token

    def signed(self, address: str, form: Mapping[str, str], headers: Mapping[str, str]) -> bool:
        """Whether the signature covers this address, as Twilio was given it, and each field."""
        given = headers.get("X-Twilio-Signature", "").encode("utf-8", "replace")
        return hmac.compare_digest(signature(self._token, address, form).encode(), given)

    def text(self, form: Mapping[str, str]) -> Incoming:
        """An owner's text; BadInput names the field that is missing."""
        return Incoming(_field(form, "MessageSid"), _field(form, "From"), _field(form, "To"), form.get("Body", ""))

    def report(self, form: Mapping[str, str]) -> Report:
        """What became of a text of ours."""
        fate = _FATES.get(form.get("MessageStatus", ""), Fate.ON_ITS_WAY)
        return Report(_field(form, "From"), fate, f"not delivered (provider error {form.get('ErrorCode', 'unknown')})")


def _field(form: Mapping[str, str], name: str) -> str:
    value = form.get(name, "")
    if not value:
        raise BadInput(name, "is missing")
    return value
