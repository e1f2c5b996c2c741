"""A plain client with which a broker is tried out, step by step. It blocks: run it in a thread."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from gateway.mqtt.address import BrokerAddress
from gateway.mqtt.session import RECEIVE_MAXIMUM
from schemas.errors import Misconfigured, Unavailable

ANSWER_S = 15.0  #: mosquitto does nothing else while it writes its store, and a large one takes seconds
HEARD_S = 5.0  #: for a message of which we know that the broker has it
FORGOTTEN_S = 600  #: an MQTT 5 broker forgets a trial that was broken off


class Refused(Exception):
    """The broker said no, or hung up."""


class Trial:
    """One connection, as the gateway's user or as somebody else. Acknowledges only what it is told to."""

    def __init__(self, address: BrokerAddress, name: str, *, clean: bool, who: tuple[str, str] | None = None) -> None:
        """`who` is user name and password, ("", "") for nobody; None: the gateway. Raises Refused, Unavailable,
        Misconfigured.
        """
        self.heard: list[tuple[int, bytes]] = []  #: packet id and payload
        self._address = address
        self._answers: dict[int, str] = {}  #: packet id of what we sent -> "" or why not
        self._in: str | None = None  #: "" when we were let in
        self._acknowledged = 0
        v5 = address.version == 5
        options: dict[str, Any] = {} if v5 else {"clean_session": clean}
        self._client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=name,
            protocol=paho.MQTTv5 if v5 else paho.MQTTv311,
            manual_ack=True,
            reconnect_on_failure=False,
            **options,
        )
        user, password = (address.user, address.password) if who is None else who
        if user:
            self._client.username_pw_set(user, password)
        self._client.max_inflight_messages_set(100)  # so that it is the broker's queue that is tried, and not our haste
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda _c, _d, mid, codes, _p: self._answered(mid, codes[0])
        self._client.on_publish = lambda _c, _d, mid, code, _p: self._answered(mid, code)
        self._client.on_message = lambda _c, _d, message: self.heard.append((message.mid, bytes(message.payload)))
        self._connect(clean, as_gateway=who is None)

    def _connect(self, clean: bool, *, as_gateway: bool) -> None:
        options: dict[str, Any] = {}
        if self._address.version == 5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = 0 if clean else FORGOTTEN_S
            properties.ReceiveMaximum = RECEIVE_MAXIMUM
            options = {"clean_start": clean, "properties": properties}
        if self._address.tls is not None:
            shown = self._address.tls if as_gateway else self._address.tls.without_certificate()
            self._client.tls_set_context(shown.context())
        failed: OSError | None = None
        for host in self._address.hosts:
            try:
                self._client.connect(*host, 60, **options)
                break
            except ssl.SSLCertVerificationError as error:
                raise Misconfigured(
                    "TELLTALE_MQTT_CA", f"the certificate of {host[0]} is not believed: {error.verify_message}"
                ) from None
            except OSError as error:
                failed = failed or error
        else:
            raise Unavailable("the MQTT broker", f"no connection to {self._address}: {failed}")
        self.until(lambda: self._in is not None, "CONNECT")
        if self._in:
            raise Refused(self._in)

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self._in = str(reason) if reason.is_failure else ""

    def _answered(self, mid: int, code: Any) -> None:
        self._answers[mid] = str(code) if code.is_failure else ""

    def subscribe(self, topic: str) -> None:
        """QoS 1; raises Refused."""
        mid = self._client.subscribe(topic, qos=1)[1] or 0
        self.until(lambda: mid in self._answers, "SUBSCRIBE")
        if self._answers[mid]:
            raise Refused(self._answers[mid])

    def publish(self, topic: str, payloads: list[bytes]) -> None:
        """QoS 1, each acknowledged; raises Refused. MQTT 3.1.1 cannot say no here."""
        mids = {self._client.publish(topic, payload, qos=1).mid for payload in payloads}
        self.until(lambda: mids <= self._answers.keys(), "PUBLISH")
        if refused := next((why for mid in mids if (why := self._answers[mid])), None):
            raise Refused(refused)

    def hears(self, payload: bytes, within_s: float = HEARD_S) -> bool:
        """Whether this comes, in good time."""
        return self._turns(lambda: any(message == payload for _, message in self.heard), within_s, "listening")

    def gather(self, most: int, silence_s: float, barrier: str) -> int:
        """Read until there are so many more, or nothing comes, and nothing comes either once the broker has answered a
        subscription to `barrier`: then the silence is not its haste. How many came."""
        before = len(self.heard)
        asked_at = -1
        while len(self.heard) - before < most:
            had = len(self.heard)
            self._turns(lambda had=had: len(self.heard) > had, silence_s, "listening")  # type: ignore[misc]
            if len(self.heard) == had:
                if asked_at == had:
                    break
                self.subscribe(barrier)
                asked_at = len(self.heard)
        return len(self.heard) - before

    def acknowledge(self) -> None:
        for mid, _ in self.heard[self._acknowledged :]:
            if mid:
                self._client.ack(mid, 1)
        self._acknowledged = len(self.heard)

    def until(self, check: Callable[[], bool], what: str) -> None:
        """Raises Refused when the broker hangs up, Unavailable when it does not answer."""
        if not self._turns(check, ANSWER_S, what):
            raise Unavailable("the MQTT broker", f"no answer from {self._address} to {what}")

    def _turns(self, check: Callable[[], bool], seconds: float, what: str) -> bool:
        deadline = time.monotonic() + seconds
        while not check():
            if time.monotonic() > deadline:
                return False
            if self._client.loop(0.05) != paho.MQTT_ERR_SUCCESS and not check():
                raise Refused(f"it closed the connection at {what}")
        return True

    def close(self) -> None:
        """Leave in order."""
        self._client.disconnect()
        self._client.loop(0)
