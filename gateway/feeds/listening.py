"""The topics of feeds at a broker: one session of its own beside those of the cars' buckets."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from gateway.mqtt.address import BrokerAddress
from gateway.mqtt.broker import Broker
from gateway.mqtt.session import Session
from schemas.contract import FEEDS_PULSE

NAME: Final = "gateway-feeds"
#: We look five times a second: what lay there by then has come by then, and that is the time it gets.
LOOK_S: Final = 0.2


class FeedSession(Session):
    """What comes before its own word has waited at the broker, nobody knows since when: it is marked as kept."""

    def __init__(self, broker: Broker, roots: Collection[str]) -> None:
        self.fresh = -1  #: the epoch in which all that had waited is heard
        super().__init__(broker, 0, name=NAME, filters=_filters(roots), pulse=FEEDS_PULSE)

    def follow(self, roots: Collection[str], gone: Collection[str]) -> None:
        """Other topics from now on."""
        self.filter = _filters(roots)
        if self.client.socket() is not None and self.subscribed.is_set():
            if gone:
                self.client.unsubscribe([f"{root}/#" for root in gone])
            self.client.subscribe(self.filter)

    def take(self, topic: bytes, payload: bytes, mid: int, dup: bool, retained: bool) -> None:
        super().take(topic, payload, mid, dup, retained or self.fresh != self.epoch)

    def take_many(self, topics: list[bytes], payloads: list[bytes], mids: list[int]) -> None:
        if self.fresh == self.epoch:
            super().take_many(topics, payloads, mids)
            return
        for each in zip(topics, payloads, mids, strict=True):
            self.take(*each, dup=False, retained=False)

    def _heard_ourselves(self, payload: bytes, mid: int) -> None:
        if payload == self._tail:
            self.fresh = self.epoch
        super()._heard_ourselves(payload, mid)


def _filters(roots: Collection[str]) -> list[tuple[str, int]]:
    return [(FEEDS_PULSE, 1), *((f"{root}/#", 1) for root in sorted(roots))]


class FeedBroker(Broker):
    """Holds that one session while there is a feed to hear."""

    def __init__(self, address: BrokerAddress, **options: Any) -> None:
        super().__init__(address, **{"linger_s": LOOK_S, **options})
        self.roots: frozenset[str] = frozenset()

    async def listen(self, roots: frozenset[str]) -> None:
        """To these, and to no others."""
        session, gone = self.sessions.get(0), self.roots - roots
        if not roots:
            await self.shut(0)
        elif isinstance(session, FeedSession):
            if roots != self.roots:
                session.follow(roots, gone)
        else:
            self._watch_all()
            self.sessions[0] = fresh = FeedSession(self, roots)
            fresh.open()
        self.roots = roots
