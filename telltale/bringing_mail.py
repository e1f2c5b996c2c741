"""A mail on its way to the desk's own door: reduced to what is heard there, signed, and brought once."""

from __future__ import annotations

import email
import email.policy
import hashlib
from datetime import UTC, datetime

import aiohttp

from providers.smtp.signature import signed
from schemas.errors import Misconfigured
from telltale.settings import Settings

TIMEOUT_S = 15.0
DOOR = "/inbound/mail"
_HEARD = ("text/plain", "text/html", "message/delivery-status", "text/rfc822-headers")
_LONGEST_PART = 60_000


async def bring(settings: Settings, raw: bytes) -> int | None:
    """The status that the door answers with; None when it cannot be reached."""
    secret = settings.mail_secret.get_secret_value()
    if not secret:
        raise Misconfigured("TELLTALE_MAIL_SECRET", "is needed: the desk believes only mails that are signed with it")
    if not settings.public_url:
        raise Misconfigured("TELLTALE_PUBLIC_URL", "is needed: it says where the desk is")
    body = reduced(raw)
    headers = signed(secret, body, name=f"mail-{hashlib.sha256(raw).hexdigest()[:32]}", at=datetime.now(UTC))
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as http,
            http.post(
                f"{settings.public_url.rstrip('/')}{DOOR}",
                data=body,
                headers={**headers, "Content-Type": "message/rfc822"},
                allow_redirects=False,
            ) as answer,
        ):
            return answer.status
    except (aiohttp.ClientError, OSError, TimeoutError):
        return None


def reduced(raw: bytes) -> bytes:
    """The same mail without its attachments; of a mail that came back only the head of ours."""
    letter = email.message_from_bytes(raw, policy=email.policy.compat32)
    if not letter.is_multipart():
        return raw[: 3 * _LONGEST_PART]
    for part in letter.walk():
        if part.get_content_type() == "message/rfc822":
            inner = part.get_payload()
            if isinstance(inner, list) and inner:
                inner[0].set_payload("")  # type: ignore[union-attr]
        elif not part.is_multipart() and (
            part.get_content_type() not in _HEARD or len(str(part.get_payload())) > _LONGEST_PART
        ):
            part.set_payload("")
    return letter.as_bytes()
