"""A recorded CAN log through the telematics unit to the running gateway, at the times of the recording."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from schemas.errors import BadInput, Unavailable
from simulator.log_clock import stretches, told
from simulator.overheard import Decoded, Overheard
from simulator.recordings import RIGHT_WAY, Recording
from simulator.spool import Spool, SpoolFile
from simulator.telematics import PATHS, Sender, diagnostics_body, telemetry_body

_PER_SECOND, _WINDOW = 4_000.0, 512
_PATIENCE_S = 60.0


@dataclass
class Played:
    """What became of a recording."""

    file: str
    vin: str
    frames: int = 0
    frames_used: int = 0
    messages_published: int = 0
    readings: int = 0
    ignored: dict[str, int] = field(default_factory=dict)
    readings_by_signal: dict[str, int] = field(default_factory=dict)
    trouble_codes: list[str] = field(default_factory=list)
    malfunction_lamp: bool | None = None
    starts_at: str = ""
    ends_at: str = ""
    lamps: list[str] = field(
        default_factory=list
    )  #: of the last list: stop, warning, protect; the malfunction lamp has its own key
    notes: list[str] = field(default_factory=list)  #: what was done about damage and clocks
    acknowledged: bool = False
    seconds: float = 0.0


def decoded(
    path: Path,
    start: datetime | None,
    now: datetime,
    played: Played,
    tell: Callable[[int], None],
    layouts: Collection[str] = (),
    answers: Collection[int] = (),
) -> list[Decoded]:
    """Everything that the recording says, with its times made absolute.

    `layouts`: the maker's identifiers that this model has; `answers`: unusual ids on which its units answer.
    """
    recording, overheard = Recording(path), Overheard(layouts=layouts, answers=answers)
    messages: list[Decoded] = []
    times: list[float] = []
    frame_of: list[int] = []  # of each thing said
    for frame in recording.frames():
        times.append(frame.timestamp)
        messages += overheard.hear(frame, frame.timestamp)
        frame_of += [len(times) - 1] * (len(messages) - len(frame_of))
        if len(times) % 5_000 == 0:
            tell(len(times))
    if not times:
        raise BadInput("file", f"{path.name} holds no frames: {RIGHT_WAY}")
    messages += overheard.rest()
    frame_of += [len(times) - 1] * (len(messages) - len(frame_of))
    clocks = stretches(times, start=start, now=now)
    for one, number in zip(messages, frame_of, strict=True):
        one.ts += next(clock.shift for clock in clocks if number < clock.end)
        if one.diagnostics is not None:
            one.diagnostics = one.diagnostics.model_copy(update={"ts": datetime.fromtimestamp(one.ts, now.tzinfo)})
    played.frames = len(times)
    played.notes = [*recording.notes, *told(clocks)]
    played.ignored = dict(overheard.ignored.most_common())
    played.frames_used = sum(overheard.read.values())
    ends = times[0] + clocks[0].shift, times[-1] + clocks[-1].shift
    played.starts_at, played.ends_at = (datetime.fromtimestamp(at, now.tzinfo).isoformat() for at in ends)
    return messages


async def play(
    path: Path,
    *,
    vin: str,
    secret: str,
    mqtt_host: str,
    mqtt_port: int,
    spool_dir: Path,
    start: datetime | None,
    now: datetime,
    layouts: Collection[str] = (),
    answers: Collection[int] = (),
    user: str | None = None,
    tls: ssl.SSLContext | None = None,
    tell: Callable[[int], None] = lambda frames: None,
) -> Played:
    """Play `path` as the car `vin` and wait until the dealer's system has stored all of it.

    `tell` hears the progress.
    """
    began = time.monotonic()
    played = Played(path.name, vin)
    messages = await asyncio.to_thread(decoded, path, start, now, played, tell, layouts, answers)
    file = SpoolFile(spool_dir / "spool.sqlite3")
    try:
        spool = Spool(file, vin)
        counts: Counter[str] = Counter()
        for one in messages:
            if one.diagnostics is not None:
                spool.put("up/diagnostics", diagnostics_body(one.diagnostics))
                played.trouble_codes = [code.code for code in one.diagnostics.codes]
                played.malfunction_lamp = one.diagnostics.mil
                played.lamps = [name for name in ("stop", "warning", "protect") if getattr(one.diagnostics, name)]
            else:
                spool.put("up/telemetry", telemetry_body(one.ts, one.values))
                counts.update(PATHS[signal] for signal in one.values)
        file.commit()
        played.readings_by_signal = dict(counts.most_common())
        played.readings = sum(one.diagnostics is None for one in messages)
        played.messages_published = len(messages)
        latest: dict[int, float] = {}
        for one in messages:
            latest |= one.values
        sender = Sender(
            vin,
            secret,
            mqtt_host,
            mqtt_port,
            spool,
            user=user,
            tls=tls,
            per_second=_PER_SECOND,
            window=_WINDOW,
            current=lambda: {PATHS[signal]: value for signal, value in latest.items()},
        )
        await _until_stored(sender, spool)
        file.commit()
    finally:
        file.close()
    played.acknowledged, played.seconds = True, round(time.monotonic() - began, 3)
    return played


async def _until_stored(sender: Sender, spool: Spool) -> None:
    """Send, and wait for the application acks; give up when nothing moves any more."""
    running = asyncio.create_task(sender.run())
    try:
        left, since = len(spool), time.monotonic()
        while len(spool):
            sender.acknowledged.clear()
            try:
                async with asyncio.timeout(1.0):
                    await sender.acknowledged.wait()
            except TimeoutError:
                if running.done():
                    running.result()
            if len(spool) != left:
                left, since = len(spool), time.monotonic()
            elif time.monotonic() - since > _PATIENCE_S:
                why = (
                    sender.connection.refused
                    or "the broker takes the messages, but nobody acknowledges them: is the gateway running?"
                )
                raise Unavailable(
                    "the gateway", f"{left} message(s) are not stored after {_PATIENCE_S:.0f} s without progress: {why}"
                )
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
