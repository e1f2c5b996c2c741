"""The cars: who they are, and their memories, loaded by the batch when they first speak and checkpointed as they go."""

from __future__ import annotations

import gc
from collections.abc import Container, Iterable, Mapping
from typing import Any, Final, Protocol

from gateway.fleet import units
from gateway.fleet.car import Car
from gateway.fleet.sequence import Arrival, MessageSequence
from gateway.fleet.source import IMPOSSIBLE_DAY, NO_BOOT, Source
from rules.engine.memory import Track
from rules.engine.plausibility import ODOMETER
from rules.engine.retraction import Again, without
from schemas.alert import AlertStep
from schemas.correction import ReadAs
from schemas.moment import from_epoch
from schemas.reading import UNIT, Mark, Reading
from schemas.vehicle import BUCKETS, bucket_of, is_vin, topic
from store import checkpoints, gaps, readings
from store.pool import Connection
from store.vehicles import Identity

TELEMETRY, DIAGNOSTICS, STATUS, UNKNOWN = range(4)
_KINDS = {b"telemetry": TELEMETRY, b"diagnostics": DIAGNOSTICS, b"status": STATUS}
_FREEZE_EVERY = 2_000  #: cars
CHECKPOINT_ROWS: Final = 128
STRIDE: Final = 79  #: coprime to it


class Judge(Protocol):
    """What the gateway needs of rules.engine.judge.Judge."""

    @property
    def versions(self) -> Mapping[str, int]: ...

    def memory(self, profile_name: str) -> Any: ...
    def step(self, memory: Any, reading: Reading) -> tuple[AlertStep, ...]: ...
    def dump(self, memory: Any) -> bytes: ...
    def load(self, profile_name: str, kept: bytes, versions: Mapping[str, int]) -> Any: ...
    def program(self, profile_name: str) -> Any: ...
    def open_alerts(self, memory: Any) -> tuple[Track, ...]: ...
    def read_as(self, memory: Any) -> ReadAs: ...
    def withdraw(
        self, memory: Any, rule: str, component: str, *, ts: float, place: int, because: str
    ) -> AlertStep | None: ...


class Route:
    """What a topic means."""

    __slots__ = ("car", "kind", "source", "speaks")

    def __init__(self, kind: int, car: Car | None, source: Source) -> None:
        self.kind, self.car, self.source = kind, car, source
        #: the car, where it sends its samples
        self.speaks = car if kind == TELEMETRY and car is not None and not car.revoked else None


class Fleet:
    """Every car we know by VIN, topic and id; `known` is what the auth callout looks at."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.by_vin: dict[str, Car] = {}
        self.by_id: dict[int, Car] = {}
        self.known: dict[str, bytes] = {}
        self.others: dict[str, int] = {}  #: VIN -> dealer, of cars of other gateways' buckets
        self.routes: dict[bytes, Route] = {}
        self.gappy: set[Car] = set()  #: cars with an open gap or waiting rows
        self.changed: set[Car] = set()  #: cars whose memory no longer fits them
        self._loaded = 0

    def meet(self, who: Iterable[Identity], mine: Container[int] = range(BUCKETS)) -> list[tuple[str, int]]:
        """Learn of cars, or what has changed about them; of those of other buckets than `mine` only whether they may
        sign in. Returns (VIN, id) of those that may no longer speak.
        """
        gone = []
        for identity in who:
            secret_hash = identity.secret_hash if identity.revoked_at is None else None
            car = self.by_vin.get(identity.vin)
            if car is not None:
                self._changed(car, identity)
            elif (bucket := bucket_of(identity.vin)) in mine:
                self.by_vin[identity.vin] = self.by_id[identity.id] = Car(identity, bucket)
                self.others.pop(identity.vin, None)
            else:
                self.others[identity.vin] = identity.dealer_id
            if secret_hash is not None:
                if self.known.get(identity.vin) not in (None, secret_hash):
                    gone.append((identity.vin, identity.id))  # a new secret ends the old sign-in
                self.known[identity.vin] = secret_hash
            elif self.known.pop(identity.vin, None) is not None:
                gone.append((identity.vin, identity.id))
        return gone

    def _changed(self, car: Car, identity: Identity) -> None:
        if car.dealer_id != identity.dealer_id:
            car.belongs_to(identity.dealer_id)
        if car.profile != identity.profile:
            car.profile = identity.profile
            self.changed.add(car)
        car.enrolled = identity.enrolled_at.timestamp() if identity.enrolled_at else 0.0
        if car.revoked is not (identity.revoked_at is not None):
            car.revoked = not car.revoked
            self._forget_routes(car)

    def dealer_of(self, vin: str) -> int | None:
        """Who looks after it, also where it is another gateway's; None where nobody does, or we need not know."""
        car = self.by_vin.get(vin)
        return car.dealer_id if car is not None else self.others.get(vin)

    def part(self, vehicle_id: int) -> Car | None:
        """Nobody looks after this car any more: what it says is an unknown car's. Returns it, if we knew it."""
        car = self.by_id.pop(vehicle_id, None)
        if car is not None:
            del self.by_vin[car.vin]
            self.known.pop(car.vin, None)
            self.gappy.discard(car)
            self.changed.discard(car)
            self._forget_routes(car)
        return car

    def forget_secret(self, vin: str) -> bool:
        """A car of another gateway's is no longer there; whether it could sign in until now."""
        self.others.pop(vin, None)
        return self.known.pop(vin, None) is not None

    def _forget_routes(self, car: Car) -> None:
        for kind in _KINDS:
            self.routes.pop(topic(car.vin, f"up/{kind.decode()}").encode(), None)

    def route(self, name: bytes) -> Route:
        """Who said it and what it is, by the topic, which the broker binds to the car's credentials."""
        found = self.routes.get(name)
        if found is not None:
            return found
        levels = name.split(b"/")
        written = name.decode("utf-8", "backslashreplace").replace("\0", "\\0")[:300]
        vin = levels[2].decode("utf-8", "replace") if len(levels) == 5 else ""
        car = self.by_vin.get(vin)
        kind = _KINDS.get(levels[4], UNKNOWN) if len(levels) == 5 and levels[3] == b"up" else UNKNOWN
        if is_vin(vin) and levels[1] != b"%02d" % bucket_of(vin):
            kind = UNKNOWN  # in another car's order of arrival: never judged
        made = Route(kind, car, Source(vin, car.id if car else 0, written))
        # three topics a car: whoever makes up others makes up no memory of ours
        if car is not None and kind != UNKNOWN:
            self.routes[name] = made
        return made

    async def load(
        self, connection: Connection, cars: Iterable[Car], now: float
    ) -> tuple[list[tuple[int, int, int]], list[Reading]]:
        """Bring cold cars to where the database says they are: checkpoint, then the rows above it folded, their steps
        dropped because those are committed. Returns ledger entries that have closed meanwhile."""
        cold = {car.id: car for car in cars if not car.loaded}
        if not cold:
            return [], []
        kept = {c.vehicle_id: c for c in await checkpoints.load(connection, list(cold))}
        for car in cold.values():
            car.forget()
            checkpoint = kept.get(car.id)
            if checkpoint is None:
                car.memory = self.judge.memory(car.profile)
                continue
            car.memory = self.judge.load(car.profile, checkpoint.memory, checkpoint.versions)
            car.sequence = MessageSequence.load(checkpoint.sequence, now)
            car.sequence.enrolled = checkpoint.sequence.get("enrolled", car.enrolled)
            car.place, car.low_day = checkpoint.place, checkpoint.day
            car.heard_ts = checkpoint.sequence.get("heard", checkpoint.ts.timestamp())
            odometer = checkpoint.sequence.get("odometer")
            if odometer:
                car.odometer, car.odometer_ts, car.odometer_since = (*odometer, -1.0)[:3]
        above = [
            (car.id, car.sequence.cursor[0], car.sequence.cursor[1], car.place)
            for car in cold.values()
            if car.id in kept
        ]
        rows = await readings.since(connection, above, min((c.day for c in kept.values()), default=0))
        rows += await readings.since(
            connection, [(car.id, -1, -1, 0) for car in cold.values() if car.id not in kept], 0
        )
        for row in rows:
            if (
                row.vehicle_id not in kept
                and row.boot != NO_BOOT
                and row.received_at >= (car := cold[row.vehicle_id]).enrolled
            ):
                car.sequence.enrolled = car.enrolled
            if row.mark and row.mark & Mark.TAKES_BACK:
                self._take_back(cold[row.vehicle_id], row, [r for r in rows if r.vehicle_id == row.vehicle_id])
            else:
                self._again(cold[row.vehicle_id], row, now)
        closed: list[tuple[int, int, int]] = []
        for gap in await gaps.still_open(connection, list(cold)):
            sequence = cold[gap.vehicle_id].sequence
            mine = next((g for g in sequence.gaps if (g.boot, g.first) == (gap.boot, gap.first_seq)), None)
            if mine is None:
                closed.append((gap.vehicle_id, gap.boot, gap.first_seq))
            else:
                mine.kept, mine.asked, mine.asked_ts = True, min(gap.asked, 1), cold[gap.vehicle_id].heard_ts
        for car in cold.values():
            car.loaded = True
            car.read_as = self.judge.read_as(car.memory)
            car.since += car.id * STRIDE % CHECKPOINT_ROWS  # cars that began together are not written together
            car.sequence.closed.clear()
            if car.sequence.gaps or car.sequence.waiting:
                self.gappy.add(car)
        self._loaded += len(cold)
        if self._loaded > _FREEZE_EVERY:
            self._loaded = 0
            gc.freeze()
        return closed, rows

    def _again(self, car: Car, row: Reading, now: float) -> None:
        """One stored row, in the order of its place: the same fold as when it came."""
        sequence = car.sequence
        if row.boot != NO_BOOT:
            if row.boot >= sequence.base + UNIT:
                sequence.begin_unit(units.began(car.heard_ts, row.ts), sequence.enrolled)
            arrival = sequence.arrive(row.boot, row.seq, None, now)
            if row.place is not None and arrival is Arrival.WAITS:
                sequence.judged(row.boot, row.seq)
        if row.place is None:
            car.heard_ts = max(car.heard_ts, row.ts)
            sequence.hold(row)
            return
        self.judge.step(car.memory, row)
        car.place = max(car.place, row.place)
        car.since += 1
        if not row.mark & Mark.REREAD:  # no word of the car
            self.note(car, row)

    def _take_back(self, car: Car, at: Reading, rows: list[Reading]) -> None:
        """From here on a row counts as never said.

        Only for a car that has no checkpoint, so that all its rows are here.
        """
        place = at.place or 0
        again = Again(
            self.judge, car.profile, {-r.seq for r in rows if r.mark & Mark.TAKES_BACK and (r.place or 0) <= place}
        )
        for row in rows:
            if row.place is not None and row.place < place:
                again.take(row)
        self.judge_anew(car, again, at)

    def judge_anew(self, car: Car, again: Again, at: Reading) -> tuple[AlertStep, ...]:
        """The car without what the row `at` takes back: memory, odometer and place, and the steps that withdraw its
        alerts.
        """
        car.memory, steps = without(car.memory, again, at)
        believed = again.odometer.last
        car.odometer, car.odometer_ts, car.odometer_since, car.odometer_contrary = (
            believed.metres,
            believed.ts,
            believed.since,
            believed.contrary,
        )
        car.place = at.place or car.place
        car.read_as = self.judge.read_as(car.memory)
        return steps

    @staticmethod
    def note(car: Car, row: Reading) -> None:
        """What plausibility needs of a row that was believed."""
        if row.ts > car.heard_ts:
            car.heard_ts = row.ts
        if ODOMETER in row.ids and not row.mark & Mark.CLOCK_SUSPECT and row.ts >= car.odometer_ts:
            if car.odometer is None:
                car.odometer_since = -1.0 if row.mark & Mark.ACCEPTED else row.ts
            car.odometer, car.odometer_ts = row.values[row.ids.index(ODOMETER)], row.ts

    async def learn_boots(self, connection: Connection, strangers: Iterable[tuple[Car, int]]) -> None:
        """Boots that we had forgotten, from their stored rows."""
        for car, boot in strangers:
            if boot not in car.sequence.tops:
                car.sequence.learn(boot, await readings.seqs(connection, car.id, boot))

    def checkpoint(self, car: Car, ts: float, day: int, received_at: float) -> checkpoints.Row:
        """The car as it is now; `day` is that of the last row, if it has a leaf of its own. Rows above it of days
        before the lowest force the next one.
        """
        sequence = car.sequence
        kept = sequence.dump()
        kept["heard"] = car.heard_ts
        if car.odometer is not None:
            kept["odometer"] = [car.odometer, car.odometer_ts, car.odometer_since]
        car.since = 0
        newest = day if day != IMPOSSIBLE_DAY else int(received_at // 86_400)
        waiting = [
            row.day for row in sequence.waiting.values() if row.day != IMPOSSIBLE_DAY
        ]  # they stand above it as well
        car.low_day = max(0, min([newest, *waiting]) - 1)
        boot, seq = sequence.cursor
        return (
            car.id,
            car.dealer_id,
            car.place,
            boot,
            seq,
            from_epoch(ts),
            car.low_day,
            kept,
            self.judge.dump(car.memory),
        )

    def forget_changed(self) -> None:
        """Load them anew with their next word; only while nothing is in flight."""
        while self.changed:
            self.changed.pop().forget()

    def forget_all(self) -> None:
        """Back to what the database says."""
        for car in self.by_id.values():
            if car.loaded:
                car.forget()
        self.gappy.clear()

    def unload(self, bucket: int) -> list[Car]:
        """Forget the memories of a bucket that another gateway carries now."""
        cars = [car for car in self.by_id.values() if car.bucket == bucket and car.loaded]
        for car in cars:
            car.forget()
            self.gappy.discard(car)
        return cars
