"""What becomes of what one look brought: messages of ours, refusals with their reasons, counts. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from gateway.feeds.feed import Feed, Heard, Message, Odd, Value
from gateway.feeds.gathering import diagnostics, samples
from gateway.token_bucket import Allowance
from schemas.reading import Refusal, Refused
from schemas.vehicle import is_vin
from store.feeds import FeedCar, Kept, Key, Source

#: How many messages one car of a feed may send: so many at once, then one in so many seconds.
OF_CAR: Final = (2_000, 0.05)
#: How many refused ones are kept, of each car and kind, and of a whole feed; the others are counted.
KEPT_OF_CAR: Final = (20, 60.0)
KEPT_OF_FEED: Final = (200, 6.0)
_VINS: Final = 10_000
_PORTION: Final = 4_096  #: bytes: a large one counts for several
KEPT_BYTES: Final = 2 * _PORTION  #: of each


@dataclass(frozen=True, slots=True)
class Brought:
    """One message of one feed, and what was heard in it."""

    source: Source
    feed: Feed
    message: Message
    where: str  #: the topic, or the door
    heard: Heard

    @property
    def key(self) -> Key:
        """Of which car it is, in the feed's own words."""
        return self.source.id, _written(self.heard.car)[:200]


@dataclass(slots=True)
class Settled:
    """The rows of one transaction."""

    kept: list[Kept] = field(default_factory=list)
    refused: list[tuple[int | None, Refused, int]] = field(default_factory=list)
    counted: dict[tuple[int, str, str], tuple[int, str]] = field(default_factory=dict)

    def count(self, dealer_id: int, name: str, subject: str, detail: str, *, times: int = 1) -> None:
        """For the desk."""
        before, _ = self.counted.get((dealer_id, name, subject), (0, ""))
        self.counted[dealer_id, name, subject] = before + times, detail


class Settling:
    """Remembers of each source only how much of it was let through, and which VIN an unmapped one has said."""

    def __init__(self) -> None:
        self._vins: dict[Key, str] = {}
        self._of_car = Allowance(*OF_CAR)
        self._kept_of_car, self._kept_of_feed = Allowance(*KEPT_OF_CAR), Allowance(*KEPT_OF_FEED)

    def settle(self, brought: Iterable[Brought], cars: Mapping[Key, FeedCar], now: datetime, machine: float) -> Settled:
        """`machine` is machine time. What one car's messages of one look say is gathered by its times."""
        done, values = Settled(), dict[Key, list[Value]]()
        sources: dict[Key, Source] = {}
        for one in brought:
            source, heard = one.source, one.heard
            car = cars.get(one.key)
            if not self._of_car.take(one.key, machine):
                done.count(source.dealer_id, "flood", _subject(one, car), "more messages than a car has to say")
                continue
            if car is None and is_vin(heard.vin) and len(self._vins) < _VINS:
                self._vins[one.key] = heard.vin
            if heard.untaken:
                done.count(source.dealer_id, "feed_untaken", one.feed.name, _last(one), times=heard.untaken)
            for reason, detail in heard.odd:
                self._refuse(done, one, car, (reason, detail), now=now, at=machine)
            if not heard.values and not heard.codes:
                continue
            if car is None:
                says = f"; it says that its VIN is {self._vins[one.key]}" if one.key in self._vins else ""
                detail = f"no car is mapped to {heard.car!r} of {one.feed.title}{says}"
                self._refuse(done, one, None, (Refusal.UNMAPPED, detail), now=now, at=machine)
                continue
            if car.units:
                heard = next(
                    (again for again in one.feed.translate(one.message, car.units) if again.car == heard.car), heard
                )
            sources[one.key] = source
            values.setdefault(one.key, []).extend(heard.values)
            done.kept += [Kept(source, car, "diagnostics", diagnostics(codes)) for codes in heard.codes]
        for key, found in values.items():
            done.kept += [Kept(sources[key], cars[key], "telemetry", body) for body in samples(found)]
        return done

    def _refuse(self, done: Settled, one: Brought, car: FeedCar | None, odd: Odd, *, now: datetime, at: float) -> None:
        """Into quarantine, or counted: what the broker had kept is no fault of anybody, and a flood fills no disk."""
        source, (reason, detail) = one.source, odd
        if reason is Refusal.RETAINED:
            done.count(source.dealer_id, "feed_old", _subject(one, car), detail)
            return
        much = 1 + len(one.message.payload) // _PORTION
        if not self._kept_of_car.take((one.key, reason), at, much) or not self._kept_of_feed.take(source.id, at, much):
            done.count(source.dealer_id, "flood", _subject(one, car), reason.value)
            return
        row = Refused(
            vin=car.vin if car else None,
            vehicle_id=car.vehicle_id if car else None,
            topic=_written(one.where)[:300],
            payload=one.message.payload[:KEPT_BYTES],
            reason=reason,
            detail=_written(detail)[:1000],
            received_at=now,
        )
        done.refused.append((source.dealer_id, row, 1))


def _written(text: str) -> str:
    """As a text of the database may be: without NUL and halves of characters."""
    return text.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()


def _subject(one: Brought, car: FeedCar | None) -> str:
    return car.vin if car else f"{one.feed.title}, unmapped"


def _last(one: Brought) -> str:
    return f"names without a meaning here; the last in {ascii(one.where)[:120]}"


def below(topic: str, root: str, feed: Feed) -> tuple[str, ...] | None:
    """The levels of a topic below the feed's root; None where the feed takes no such topic."""
    if not topic.startswith(root + "/"):
        return None
    levels = tuple(topic[len(root) + 1 :].split("/"))
    return levels if any(_fits(levels, each.split("/")) for each in feed.filters) else None


def _fits(levels: tuple[str, ...], pattern: list[str]) -> bool:
    if pattern[-1] == "#":
        pattern = pattern[:-1]
        if len(levels) <= len(pattern):
            return False
        levels = levels[: len(pattern)]
    return len(levels) == len(pattern) and all(p in ("+", one) for p, one in zip(pattern, levels, strict=True))
