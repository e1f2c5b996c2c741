"""Mail by SMTP. Its Message-ID stays the same, so that a receiver who gets it twice can see that it is one: the name
that was put on it (`rules.service.letters`), else the reference.
"""

from __future__ import annotations

from collections.abc import Collection
from email import policy
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

import aiosmtplib

from providers.provider import Lookup, Receipt
from rules.service import letters, visit_file
from schemas.errors import DeliveryFailed, Misconfigured
from schemas.message import Message

TIMEOUT_S = 4.0
#: Lines as long as SMTP takes: a link that is folded or encoded is none to some mail programs.
_UNFOLDED = policy.SMTP.clone(max_line_length=900)


class Smtp:
    """One relay."""

    def __init__(self, url: str, mail_from: str) -> None:
        """`url` is smtp://user:password@host:587, smtps:// for TLS from the first byte; STARTTLS is used where it is
        offered.
        """
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise Misconfigured("TELLTALE_SMTP_URL", "must look like smtp://user:password@host:587")
        if "@" not in mail_from:
            raise Misconfigured("TELLTALE_MAIL_FROM", "must be the address that mails come from")
        self._host, self._tls, self._from = parts.hostname, parts.scheme == "smtps", mail_from
        self._port = parts.port or (465 if self._tls else 587)
        self._user = unquote(parts.username) if parts.username else None
        self._password = unquote(parts.password) if parts.password else None

    @property
    def sender(self) -> str:
        """Where all mails come from."""
        return self._from

    @property
    def missed(self) -> None:
        """Mail that comes in is nobody's here."""

    async def send(self, message: Message, sender: str) -> Receipt:
        """`sender` is the dealer's own mailbox, where answers go."""
        letter = EmailMessage(_UNFOLDED)
        letter["From"], letter["To"], letter["Subject"] = self._from, message.to_address, _subject(message.body)
        letter["Message-ID"] = self._name(message)
        letter["Date"] = format_datetime(message.queued_at)
        letter["Auto-Submitted"] = "auto-generated"
        if "@" in sender and sender != self._from:
            letter["Reply-To"] = sender
        carried = letters.of(message)
        if carried.end:  # ended by the mail program itself, in one press (RFC 8058)
            letter["List-Unsubscribe"] = f"<{carried.end}>"
            letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        letter.set_content(f"{message.body}\n\n-- \n{carried.foot}\n" if carried.foot else message.body)
        if (file := visit_file.of(message)) is not None:
            letter.add_attachment(file, maintype="text", subtype="calendar", filename=visit_file.NAME)
        try:
            await aiosmtplib.send(
                letter,
                hostname=self._host,
                port=self._port,
                username=self._user,
                password=self._password,
                use_tls=self._tls,
                timeout=TIMEOUT_S,
            )
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise DeliveryFailed(
                "the mailbox refuses it", permanent=all(500 <= r.code < 600 for r in error.recipients)
            ) from error
        except aiosmtplib.SMTPConnectError as error:
            raise DeliveryFailed("the mail relay cannot be reached") from error
        except aiosmtplib.SMTPAuthenticationError as error:
            raise DeliveryFailed("the mail relay does not accept our password") from error
        except aiosmtplib.SMTPResponseException as error:
            raise DeliveryFailed(f"the mail relay answered {error.code}", permanent=500 <= error.code < 600) from error
        return Receipt(self._name(message))

    async def greet(self) -> None:
        """Sign in at the relay and leave again. Raises what aiosmtplib raises."""
        async with aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._user,
            password=self._password,
            use_tls=self._tls,
            timeout=TIMEOUT_S,
        ):
            pass

    async def lookup(self, message: Message, taken: Collection[str] = ()) -> Receipt | Lookup:
        """SMTP cannot be asked."""
        return Lookup.CANNOT_TELL

    async def close(self) -> None:
        """Each letter has a connection of its own."""

    def _name(self, message: Message) -> str:
        return f"<{letters.of(message).name or message.reference}@{self._from.rpartition('@')[2]}>"


def _subject(body: str) -> str:
    """The dealer's name and the beginning of what it says."""
    first = body.split("\n", 1)[0]
    return first if len(first) <= 78 else first[:75].rstrip() + "..."
