"""Who may sign in at the broker: answered from memory, so that enrolling and revoking need no restart and no query."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import nats
import nkeys
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg

from gateway.log_sampling import Seldom
from gateway.mqtt.address import Tls, taken_apart
from gateway.ops import sign_ins
from gateway.ops.sign_ins import Reason, SignIns
from schemas.contract import CHANNELS
from schemas.vehicle import bucket_of

log = structlog.get_logger()

ACCOUNT = "CARS"
_ASKED = "$SYS.REQ.USER.AUTH"
_CONNECTIONS = "$SYS.REQ.SERVER.PING.CONNZ"
_SETTINGS = "$SYS.REQ.SERVER.PING.VARZ"
_STORES = "$SYS.REQ.SERVER.PING.JSZ"
_HEADER = b'{"typ":"JWT","alg":"ed25519-nkey"}'


def topics_of(vin: str) -> tuple[list[str], list[str]]:
    """What a car may publish and subscribe, as NATS subjects.

    It may publish the topics of the contract and no others: each topic is a retained message that the broker would
    keep. `down/#` also means `down`.
    """
    own = f"vehicles.{bucket_of(vin):02d}.{vin}"
    return [f"{own}.{way.replace('/', '.')}" for way in CHANNELS if way.startswith("up/")], [
        f"{own}.down",
        f"{own}.down.>",
    ]


class AuthCallout:
    """Answers the broker's question for every car that connects. `known` maps VIN to the sha256 of its secret; a car
    that is revoked or not enrolled is not in it. Several gateways share the questions (a queue group)."""

    def __init__(self, url: str, seed: str, known: Mapping[str, bytes], tls: Tls | None = None) -> None:
        """`url` may name several hosts; `tls` is what a tls:// address trusts and shows."""
        scheme, self._name, self._password, hosts = taken_apart(url, "TELLTALE_AUTH_URL", ("nats", "tls"))
        self._servers = [f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}" for host, port in hosts]
        self._tls = (tls or Tls()) if scheme == "tls" else None
        self.sign_ins = SignIns(known)
        self._pair = nkeys.from_seed(seed.encode())
        self._issuer = bytes(self._pair.public_key).decode()
        self._client: Client | None = None
        self._cuts: set[asyncio.Task[None]] = set()
        self._started = asyncio.Event()

    async def start(self) -> None:
        """Connect, keep connected and answer; while nobody answers, the broker turns cars away and they come again."""
        await self.connect()
        assert self._client is not None
        await self._client.subscribe(_ASKED, queue="doorkeepers", cb=self._asked)
        await self._client.flush(timeout=5)
        self._started.set()

    async def connect(self) -> None:
        """Connect and keep connected without answering anybody: enough to ask the broker about itself."""
        seldom = Seldom()  # it tries ten times a second

        async def quiet(error: Exception) -> None:
            seldom.say(log.info, "auth_callout_connection", reason=type(error).__name__)

        more: dict[str, Any] = {"user": self._name, "password": self._password} if self._name else {}
        if self._tls is not None:
            more["tls"] = await asyncio.to_thread(self._tls.context)
        self._client = await nats.connect(
            self._servers,
            name="doorkeeper",
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.1,
            connect_timeout=3,
            error_cb=quiet,
            ping_interval=5,
            **more,
        )

    async def settings_of_broker(self) -> dict[str, Any] | None:
        """What the broker says about itself, or None when it does not say."""
        assert self._client is not None
        try:
            answer = await self._client.request(_SETTINGS, b"", timeout=2)
        except nats.errors.Error:
            return None
        payload: dict[str, Any] = json.loads(answer.data).get("data", {})
        return payload

    async def owed(self, filters: Sequence[str]) -> int | None:
        """How many messages the broker has for the sessions with these subscriptions, or None when it does not say."""
        if not self._started.is_set():
            return None
        subjects = {"$MQTT.msgs." + each.replace("/", ".").replace("+", "*") for each in filters}
        asked = {"acc": ACCOUNT, "streams": True, "consumer": True, "config": True, "leader_only": True}
        found: int | None = None
        async with self._answers(_STORES, asked) as answers:
            async for answer in answers:
                for account in answer.get("data", {}).get("account_details") or []:
                    for stream in account.get("stream_detail") or []:
                        for one in stream.get("consumer_detail") or []:
                            if one.get("config", {}).get("filter_subject") in subjects:
                                found = (found or 0) + one["num_pending"] + one["num_ack_pending"]
        return found

    @asynccontextmanager
    async def _answers(self, subject: str, asked: Mapping[str, Any]) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
        """Ask all servers of a cluster: what each says, until no more comes."""
        assert self._client is not None
        inbox = self._client.new_inbox()
        subscription = await self._client.subscribe(inbox)

        async def answers() -> AsyncIterator[dict[str, Any]]:
            with suppress(nats.errors.TimeoutError):
                while True:
                    yield json.loads((await subscription.next_msg(timeout=1.0)).data)

        try:
            await self._client.publish(subject, json.dumps(asked).encode(), reply=inbox)
            yield answers()
        finally:
            with suppress(nats.errors.Error):
                await subscription.unsubscribe()

    async def stop(self) -> None:
        if self._client is not None:
            for cut in self._cuts:
                cut.cancel()
            with suppress(Exception):
                await asyncio.wait_for(self._client.close(), 3)

    def cut_off(self, vin: str, vehicle: int | None = None) -> None:
        """End the car's live connections; it cannot come back, for it is no longer known.

        The log says the vehicle's id.
        """
        task = asyncio.create_task(self._cut_off(vin, vehicle))
        self._cuts.add(task)
        task.add_done_callback(self._cuts.discard)

    async def _cut_off(self, vin: str, vehicle: int | None) -> None:
        await self._started.wait()
        assert self._client is not None
        ended = 0
        async with self._answers(_CONNECTIONS, {"user": vin, "auth": True, "acc": ACCOUNT}) as answers:
            async for answer in answers:
                for connection in answer.get("data", {}).get("connections") or []:
                    where = f"$SYS.REQ.SERVER.{answer['server']['id']}.KICK"
                    await self._client.request(where, json.dumps({"cid": connection["cid"]}).encode(), timeout=2)
                    ended += 1
        log.info("cut_off", vehicle=vehicle, connections=ended)

    async def _asked(self, message: Msg) -> None:
        try:
            answer = self.answer(_claims(message.data)["nats"], time.monotonic())
            if answer is not None:
                await message.respond(answer)
        except Exception:  # a malformed question must not end the subscription; the broker's own time-out says no
            log.exception("auth_callout_question")

    def answer(self, asked: Mapping[str, Any], now: float) -> bytes | None:
        """The signed answer to one question; None: let it wait until the broker gives up on it. `now` is machine
        time.
        """
        options, who = asked.get("connect_opts", {}), asked.get("client_info", {})
        vin, password = str(options.get("user") or ""), str(options.get("pass") or "")
        claims: dict[str, Any] = {"type": "authorization_response", "version": 2}
        if who.get("type") != "mqtt":
            claims["error"] = "cars speak MQTT"
        elif (
            reason := self.sign_ins.judge(vin, password, str(who.get("mqtt_id") or ""), str(who.get("host") or ""), now)
        ) is None:
            claims["jwt"] = self._user(vin, str(asked["user_nkey"]))
        elif reason is Reason.UNANSWERED:
            return None
        else:
            claims["error"] = sign_ins.words(reason)
        return self._sign({"sub": asked["user_nkey"], "aud": asked["server_id"]["id"], "nats": claims}).encode()

    def _user(self, vin: str, key: str) -> str:
        publish, subscribe = topics_of(vin)
        return self._sign(
            {
                "sub": key,
                "aud": ACCOUNT,
                "name": vin,
                "nats": {
                    "type": "user",
                    "version": 2,
                    "subs": -1,
                    "data": -1,
                    "payload": -1,
                    "pub": {"allow": publish},
                    "sub": {"allow": subscribe},
                },
            }
        )

    def _sign(self, claims: dict[str, Any]) -> str:
        body = {"iss": self._issuer, "iat": int(time.time()), "jti": os.urandom(12).hex(), **claims}
        text = _b64(_HEADER) + b"." + _b64(json.dumps(body, separators=(",", ":")).encode())
        return (text + b"." + _b64(self._pair.sign(text))).decode()


def _b64(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _claims(token: bytes) -> dict[str, Any]:
    body = token.split(b".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)))
    return found
