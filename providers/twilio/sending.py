"""SMS by Twilio's HTTP API. It knows no idempotency key: before a text is sent again we ask it for what it has."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp

from providers.provider import Blocked, Busy, Lookup, Receipt
from providers.twilio.signature import signature
from schemas.errors import DeliveryFailed, Misconfigured
from schemas.message import Message

TIMEOUT_S = 4.0
API = "https://api.twilio.com"
#: Error codes after which the same text to the same number fails again: not a number, no mobile, opted out at the
#: provider.
_FOR_GOOD = frozenset(
    {
        21211,
        21214,
        21217,
        21401,
        21407,
        21408,
        21421,
        21602,
        21604,
        21606,
        21612,
        21614,
        21617,
        30003,
        30004,
        30005,
        30006,
    }
)
_BLOCKED = 21610  #: they sent STOP to the provider itself: it would refuse every further text
_LOOK_BACK = timedelta(minutes=2)  #: its clock and ours may differ


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """A number of our account, and where the provider brings what is sent to it."""

    number: str
    webhook: str


class Twilio:
    """One Twilio account. Addresses its own machine in tests by `api`."""

    def __init__(self, account: str, token: str, sender: str, *, callback: str = "", api: str = API) -> None:
        for name, value in (("TELLTALE_TWILIO_ACCOUNT", account), ("TELLTALE_TWILIO_TOKEN", token)):
            if not value:
                raise Misconfigured(name, "is needed to send SMS by Twilio")
        own = f"{api}/2010-04-01/Accounts/{account}"
        self._account, self._messages, self._numbers = (
            f"{own}.json",
            f"{own}/Messages.json",
            f"{own}/IncomingPhoneNumbers.json",
        )
        self.sender, self._callback, self._token = sender, callback, token
        self._headers = {"Authorization": aiohttp.encode_basic_auth(account, token)}
        self._session: aiohttp.ClientSession | None = None

    async def send(self, message: Message, sender: str) -> Receipt:
        """`sender` is the dealer's number, or else the account's."""
        form = {"To": message.to_address, "Body": message.body}
        source = sender if sender.startswith("+") else self.sender
        form["MessagingServiceSid" if source.startswith("MG") else "From"] = source
        if self._callback:
            form["StatusCallback"] = f"{self._callback}?reference={message.reference}"
        try:
            async with self._open().post(self._messages, data=form, allow_redirects=False) as answer:
                payload: dict[str, Any] = await answer.json(content_type=None)
                if answer.status in (200, 201):
                    return Receipt(str(payload["sid"]))
                code = int(payload.get("code") or 0)
                if answer.status == 429:
                    raise Busy(_seconds(answer.headers.get("Retry-After", "")))
                if code == _BLOCKED:
                    raise Blocked
                if answer.status < 500:
                    raise DeliveryFailed(
                        f"Twilio refuses it ({answer.status}, error {code})",
                        permanent=code in _FOR_GOOD or answer.status == 400,
                    )
                raise OSError(f"Twilio answered {answer.status}: it may have taken the text")
        except aiohttp.ClientConnectorError as error:
            raise DeliveryFailed("Twilio cannot be reached") from error

    async def lookup(self, message: Message, taken: Collection[str] = ()) -> Receipt | Lookup:
        """Whether a text of the same words to the same number is there since we queued it, that is not the receipt of
        another.
        """
        since = (message.queued_at - _LOOK_BACK).strftime("%Y-%m-%d")
        query = {"To": message.to_address, "DateSent>": since, "PageSize": "100"}
        try:
            async with self._open().get(self._messages, params=query, allow_redirects=False) as answer:
                if answer.status != 200:
                    return Lookup.CANNOT_TELL
                payload: dict[str, Any] = await answer.json(content_type=None)
        except (aiohttp.ClientError, OSError, TimeoutError):
            return Lookup.CANNOT_TELL
        same = (
            m
            for m in payload.get("messages", ())
            if m.get("body") == message.body and m.get("status") not in ("failed", "canceled")
        )
        found = next((m for m in same if str(m.get("sid")) not in taken), None)
        return Lookup.NEVER_CAME if found is None else Receipt(str(found["sid"]))

    async def received(self, number: str, since: datetime) -> list[dict[str, str]]:
        """What Twilio received for one of our numbers, oldest first, in the form of its webhook; nothing when it does
        not answer.
        """
        query = {"To": number, "DateSent>": since.strftime("%Y-%m-%d"), "PageSize": "1000"}
        try:
            async with self._open().get(self._messages, params=query, allow_redirects=False) as answer:
                if answer.status != 200:
                    return []
                payload: dict[str, Any] = await answer.json(content_type=None)
        except (aiohttp.ClientError, OSError, TimeoutError):
            return []
        texts = [m for m in payload.get("messages", ()) if m.get("direction") == "inbound"]
        return [
            {"MessageSid": str(m["sid"]), "From": str(m["from"]), "To": str(m["to"]), "Body": str(m.get("body", ""))}
            for m in reversed(texts)
        ]

    async def account_state(self) -> str:
        """What the provider says of our account: active, suspended, closed; or why it says nothing."""
        try:
            async with self._open().get(self._account, allow_redirects=False) as answer:
                if answer.status != 200:
                    return "our password is wrong" if answer.status in (401, 403) else f"it answers {answer.status}"
                return str((await answer.json(content_type=None)).get("status"))
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            return f"it does not answer ({type(error).__name__})"

    async def number(self, number: str) -> OwnNumber | None:
        """One of our account's numbers, None when it is not ours. OSError when the provider does not answer."""
        async with self._open().get(self._numbers, params={"PhoneNumber": number}, allow_redirects=False) as answer:
            if answer.status != 200:
                raise OSError(f"Twilio answered {answer.status}")
            payload = await answer.json(content_type=None)
        found = next(
            (one for one in payload.get("incoming_phone_numbers", ()) if one.get("phone_number") == number), None
        )
        return None if found is None else OwnNumber(number, str(found.get("sms_url") or ""))

    @property
    def missed(self) -> Twilio:
        """It can be asked."""
        return self

    def name_of(self, text: dict[str, str]) -> str:
        """Its SID."""
        return text["MessageSid"]

    async def deliver(self, public_url: str, text: dict[str, str]) -> None:
        """Bring a text to our own door as Twilio would; what goes wrong is tried again at the next look."""
        address = f"{public_url.rstrip('/')}/inbound/twilio"
        headers = {"X-Twilio-Signature": signature(self._token, address, text)}
        try:
            async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=TIMEOUT_S)) as ours:
                await ours.post(address, data=text, headers=headers, allow_redirects=False)
        except (aiohttp.ClientError, OSError, TimeoutError):
            return

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(headers=self._headers, timeout=aiohttp.ClientTimeout(total=TIMEOUT_S))
        return self._session


def _seconds(text: str) -> float:
    """What Retry-After asks for; a date or nonsense counts as nothing, for we wait anyway."""
    return min(3600.0, float(text)) if text.strip().isdigit() else 0.0
