"""A recorded CAN log through the telematics unit to the running gateway, at the times of the recording."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import can

from schemas.errors import BadInput, Unavailable
from simulator.overheard import Overheard, Said
from simulator.spool import Spool, SpoolFile
from simulator.telematics import PATHS, Sender, diagnostics_body, telemetry_body

_ABSOLUTE = 946_684_800.0  # 2000-01-01: a smaller time is counted from the start of the recording
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
    acknowledged: bool = False
    seconds: float = 0.0


def frames_of(path: Path) -> Iterator[can.Message]:
    """The frames of a log, in its own times; python-can knows the format by the file's ending."""
    if not path.is_file():
        raise BadInput("file", f"{path} is not a file")
    try:
        reader = can.LogReader(str(path))
    except (ImportError, RuntimeError) as error:
        raise BadInput("file", f"{path.suffix} files need one more package (install telltale[mf4]): {error}") from None
    except (ValueError, OSError) as error:
        raise BadInput("file", f"{path.name} cannot be read: {error}") from None
    with reader:
        try:
            yield from reader
        except (ValueError, IndexError, OSError, EOFError) as error:
            raise BadInput("file", f"{path.name} is damaged or of another format: {error}") from None


def decoded(path: Path, start: datetime | None, now: datetime, played: Played, tell: Callable[[int], None]) -> list[Said]:
    """Everything that the recording says, with its times made absolute."""
    overheard, said = Overheard(), []
    first = last = None
    for frame in frames_of(path):
        first = frame.timestamp if first is None else first
        last = frame.timestamp
        said += overheard.hear(frame, frame.timestamp)
        played.frames += 1
        if played.frames % 5_000 == 0:
            tell(played.frames)
    if first is None or last is None:
        raise BadInput("file", f"{path.name} holds no frames")
    said += overheard.rest()
    shift = 0.0
    if first < _ABSOLUTE:
        shift = (start.timestamp() - first) if start is not None else now.timestamp() - last
    for one in said:
        one.ts += shift
        if one.diagnostics is not None:
            one.diagnostics = one.diagnostics.model_copy(update={"ts": datetime.fromtimestamp(one.ts, now.tzinfo)})
    played.ignored = dict(overheard.ignored.most_common())
    played.frames_used = sum(overheard.read.values())
    played.starts_at, played.ends_at = (datetime.fromtimestamp(t + shift, now.tzinfo).isoformat() for t in (first, last))
    return said


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
    user: str | None = None,
    tell: Callable[[int], None] = lambda frames: None,
) -> Played:
    """Play `path` as the car `vin` and wait until the dealer's system has stored all of it. `tell` hears the progress."""
    began = time.monotonic()
    played = Played(path.name, vin)
    said = await asyncio.to_thread(decoded, path, start, now, played, tell)
    file = SpoolFile(spool_dir / "spool.sqlite3")
    try:
        spool = Spool(file, vin)
        counts: Counter[str] = Counter()
        for one in said:
            if one.diagnostics is not None:
                spool.put("up/diagnostics", diagnostics_body(one.diagnostics))
                played.trouble_codes = [code.code for code in one.diagnostics.codes]
                played.malfunction_lamp = one.diagnostics.mil
            else:
                spool.put("up/telemetry", telemetry_body(one.ts, one.values))
                counts.update(PATHS[signal] for signal in one.values)
        file.commit()
        played.readings_by_signal = dict(counts.most_common())
        played.readings = sum(one.diagnostics is None for one in said)
        played.messages_published = len(said)
        latest: dict[int, float] = {}
        for one in said:
            latest |= one.values
        sender = Sender(
            vin, secret, mqtt_host, mqtt_port, spool, user=user, per_second=_PER_SECOND, window=_WINDOW,
            current=lambda: {PATHS[signal]: value for signal, value in latest.items()},
        )  # fmt: skip
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
