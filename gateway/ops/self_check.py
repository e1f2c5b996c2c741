"""Before anything is promised: is this process fit, does the broker keep and hand out enough, and whom does it let in?

A broker that asks our auth callout is asked for its settings. Any other is tried out, for MQTT has no way to ask: a
session of our own is left offline while messages are published to it, and then what comes back is counted. A stranger
is sent, too.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

from gateway.fleet.sequence import REORDER_S
from gateway.mqtt.address import BrokerAddress
from gateway.mqtt.trial_client import Refused, Trial
from gateway.ops.auth_callout import AuthCallout
from schemas.errors import Misconfigured, Unavailable
from schemas.vehicle import pulse_topic, trial_topic

KEPT = 1_200  #: the usual default queue holds 1,000 and drops the rest without a word
FLYING = 200  #: a batch must fit into the broker's window, or latency times twenty is all the throughput there is
SILENCE_S = 0.3  #: what is handed out comes in one go
STRANGER_S = 1.0  #: for what a stranger said to come through
OPEN_BROKER: Final = "I know that anybody can publish as any car"


def check_process() -> None:
    """Debugging slows the loop tenfold and can log what cars say."""
    if asyncio.get_running_loop().get_debug():
        raise Misconfigured(
            "PYTHONASYNCIODEBUG", "is on: the gateway would be too slow to keep its promises. Turn it off"
        )
    if sys.flags.dev_mode:
        raise Misconfigured("PYTHONDEVMODE", "is on: the gateway would be too slow to keep its promises. Turn it off")


def check_settings_of_nats(settings: dict[str, Any]) -> None:
    """What the embedded broker says about itself."""
    mqtt = settings.get("mqtt") or {}
    wait_s, pending = mqtt.get("ack_wait", 30e9) / 1e9, mqtt.get("max_ack_pending", 100)
    if wait_s >= REORDER_S:
        raise Misconfigured(
            "the broker's mqtt.ack_wait",
            f"is {wait_s:.0f} s: redelivery must come within {REORDER_S:.0f} s. Set it to 10s",
        )
    if pending < FLYING:
        raise Misconfigured(
            "the broker's mqtt.max_ack_pending", f"is {pending}: at least {FLYING} are needed. Set it to 4000"
        )
    if not settings.get("jetstream"):
        raise Misconfigured(
            "the broker's jetstream", "is off: what is published while we are away would be lost. Turn it on"
        )


async def check_broker(
    address: BrokerAddress, auth_callout: AuthCallout | None, *, bucket: int = 0, open_broker: bool = False
) -> None:
    """Refuse a broker whose limits lose messages, that does not let us do our work (tried in `bucket`), or that lets
    strangers speak as cars, unless `open_broker` says that this is known.
    """
    if auth_callout is not None:
        settings = await auth_callout.settings_of_broker()
        if settings is not None:
            check_settings_of_nats(settings)
        return
    await asyncio.to_thread(_try_out, address, bucket, open_broker)


def _try_out(address: BrokerAddress, bucket: int, open_broker: bool) -> None:
    name = f"gateway-check-{os.urandom(4).hex()}"
    try:
        _may_work(address, name, bucket)
        if not open_broker:
            _strangers(address, name)
        _room(address, name)
    finally:
        with suppress(Refused, Unavailable, Misconfigured):
            Trial(address, name, clean=True).close()  # the session is forgotten


@contextmanager
def _allowed(way: str, topic: str) -> Iterator[None]:
    try:
        yield
    except Refused as error:
        raise Misconfigured(
            "MQTT_URL",
            f"the broker does not let the gateway {way} {topic}: {error}. Allow it to the gateway's account "
            "(docs/reference/mqtt.md)",
        ) from None


def _as_gateway(address: BrokerAddress, name: str, *, clean: bool) -> Trial:
    try:
        return Trial(address, name, clean=clean)
    except Refused as error:
        raise Misconfigured("MQTT_URL", f"the broker does not let the gateway in: {error}") from None


def _may_work(address: BrokerAddress, name: str, bucket: int) -> None:
    """Whether what we say on the topics of our own comes back. MQTT 3.1.1 acknowledges also what it drops."""
    gateway = _as_gateway(address, f"{name}-a", clean=True)
    for topic in (trial_topic(name), pulse_topic(bucket)):
        with _allowed("read", topic):
            gateway.subscribe(topic)
        with _allowed("write", topic):
            gateway.publish(topic, [topic.encode()])
            if not gateway.hears(topic.encode()):
                raise Refused("nothing came back of what it said there")
    answers = f"vehicles/{bucket:02d}/{name}/down/acks"
    with _allowed("write", answers):  # with MQTT 5 the broker says so; before, nobody does
        gateway.publish(answers, [b"{}"])
    gateway.close()


def _strangers(address: BrokerAddress, name: str) -> None:
    """Somebody without a name, and somebody who makes up a car and its password."""
    listener = _as_gateway(address, f"{name}-l", clean=True)
    made_up = "TEST" + "".join(random.choices("ABCDEFGHJKLMNPRSTUVWXYZ0123456789", k=13))
    for who, user, password in (("nobody", "", ""), ("a made-up car", made_up, os.urandom(16).hex())):
        topic = trial_topic(user or f"{name}-s")
        with _allowed("read", topic):
            listener.subscribe(topic)
        with suppress(Refused, Unavailable):
            stranger = Trial(address, user or f"{name}-s", clean=True, who=(user, password))
            stranger.publish(topic, [topic.encode()])
            stranger.close()
            if listener.hears(topic.encode(), STRANGER_S):
                raise Misconfigured(
                    "TELLTALE_OPEN_BROKER",
                    f"the broker lets anybody publish as any car: {who} was let in and spoke on {topic}. Give each car "
                    "a password or certificate and bind it "
                    f'to its topics; for a trial among yourselves set this to "{OPEN_BROKER}"',
                )
    listener.close()


def _room(address: BrokerAddress, name: str) -> None:
    """Messages kept of KEPT for a session that is away, and messages handed out without an ack."""
    topic = trial_topic(name)
    listener = _as_gateway(address, name, clean=False)
    with _allowed("read", topic):
        listener.subscribe(topic)
    listener.close()
    publisher = _as_gateway(address, f"{name}-p", clean=True)
    with _allowed("write", topic):
        publisher.publish(topic, [b"x"] * KEPT)
    publisher.close()
    listener = _as_gateway(address, name, clean=False)
    with _allowed("read", topic):
        barrier = trial_topic(f"{name}-b")
        flying = listener.gather(KEPT, SILENCE_S, barrier)
        listener.acknowledge()
        while len(listener.heard) < KEPT and listener.gather(KEPT - len(listener.heard), SILENCE_S, barrier):
            listener.acknowledge()
    listener.close()
    kept = len(listener.heard)
    if kept < KEPT:
        raise Misconfigured(
            "the broker's queue",
            f"kept {kept} of {KEPT} messages for a session that was away. Set max_queued_messages (mosquitto) to 0, or "
            "higher",
        )
    if flying < FLYING:
        raise Misconfigured(
            "the broker's window",
            f"hands out {flying} unacknowledged messages; at least {FLYING} are needed. Set max_inflight_messages "
            "(mosquitto) to 4000",
        )
