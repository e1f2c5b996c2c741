"""From bytes to believed values: shape, units, ranges, clock. Pure; what is not believed says why."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, NotRequired

from pydantic import ConfigDict, FailFast, Field, Strict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from gateway.fleet.source import IMPOSSIBLE_DAY as IMPOSSIBLE_DAY
from gateway.fleet.source import NO_BOOT as NO_BOOT
from gateway.fleet.source import Source as Source
from gateway.intake import salvage
from gateway.intake.shape import Shape, known_shapes, shape_of, shared_ids
from rules.engine.plausibility import MAX_MPS as MAX_MPS
from rules.engine.plausibility import ODOMETER as ODOMETER
from rules.engine.plausibility import ODOMETER_SLACK_M as ODOMETER_SLACK_M
from rules.engine.plausibility import odometer_fault as odometer_fault
from schemas.moment import as_utc, from_epoch
from schemas.reading import Mark, Reading, Refusal, Refused
from schemas.telemetry import Counter, Diagnostics, Status
from schemas.vehicle import is_vin

MAX_BYTES: Final = 64 * 1024
#: a sample of 100 signals; what is longer is looked at longer, and may take milliseconds to refuse
QUICK_BYTES: Final = 8 * 1024
#: commas; 256 codes with a freeze frame have 1,200. What has more costs milliseconds and says nothing
MAX_PARTS: Final = 2048
AHEAD_S: Final = 300.0  #: a car's clock may be this much ahead of ours
EARLIEST: Final = 1_420_070_400.0  #: 2015-01-01: no car that speaks to us is older
ROLLOVER_S: Final = 1024 * 7 * 86_400.0  #: GPS week numbers of old receivers wrap after 1,024 weeks
FIRST_DAY: Final = int(EARLIEST // 86_400)
FAR_S: Final = 400 * 86_400.0  #: a day this far ahead gets no partition of its own
FLOAT32_MAX: Final = 3.4028234e38
Value = Annotated[float, Strict()] | Annotated[bool, Strict()] | None


@with_config(ConfigDict(extra="ignore", allow_inf_nan=False))
class Sample(TypedDict):
    """`schemas.telemetry.Telemetry` as a plain dict: the same contract, a third of the time (a test holds them
    together).
    """

    boot: NotRequired[Counter | None]
    seq: NotRequired[Counter | None]
    oldest: NotRequired[Counter | None]
    ts: datetime
    signals: Annotated[
        dict[str, Value], Field(max_length=256), FailFast()
    ]  # 7,000 errors of one message would take 38 ms
    vin: NotRequired[Any]


@with_config(ConfigDict(extra="ignore", allow_inf_nan=False, strict=True))
class PlainSample(TypedDict):
    """The `Sample` that nearly all are: counters there, all values numbers.

    What is none is read again as a `Sample`.
    """

    boot: Counter
    seq: Counter
    oldest: NotRequired[Counter | None]
    ts: str
    signals: Annotated[dict[str, float], Field(max_length=256)]
    vin: NotRequired[Any]


_sample = TypeAdapter(Sample).validator.validate_json  # without the adapter's own layer
_mended_sample = TypeAdapter(Sample).validator.validate_python
_plain_sample = TypeAdapter(PlainSample).validator.validate_json


@dataclass(slots=True)
class Decoded:
    """What one message came to. `reading.vehicle_id` is set; `place` is not."""

    reading: Reading | None
    oldest: int | None
    refused: tuple[Refused, ...] = ()
    boot: int | None = None  #: of a message that was refused as a whole, when it could be made out
    seq: int | None = None
    odometer: int = -1  #: where in the row the odometer stands


def clock_window(received_at: float) -> tuple[float, float]:
    """Between which times a car's clock is believed without a second look."""
    return max(EARLIEST, received_at - ROLLOVER_S + 86_400.0), received_at + AHEAD_S


_SECOND: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", re.ASCII)
_REST: Final = re.compile(r"(?:\.(\d{1,6}))?(?:Z|\+00:00)", re.ASCII)
_CLOCK_KEPT: Final = 20_000
_seconds: dict[str, tuple[float, int]] = {}  #: "2026-11-21T10:15:02" -> epoch seconds, day
_rests: dict[str, float] = {}  #: ".120Z" -> 0.12


def _learn_clock(stamp: str) -> bool:
    """Cars that speak at the same time write the same second: read it once. False: not the usual form."""
    rest = _REST.fullmatch(stamp, 19)
    if rest is None or _SECOND.fullmatch(stamp, 0, 19) is None:
        return False
    if len(_seconds) > _CLOCK_KEPT or len(_rests) > _CLOCK_KEPT:
        _seconds.clear()
        _rests.clear()
    at = datetime.fromisoformat(stamp[:19] + "+00:00").timestamp()  # ValueError: no such day
    _seconds[stamp[:19]] = at, int(at // 86_400)
    _rests[stamp[19:]] = int((rest[1] or "0").ljust(6, "0")) / 1e6
    return True


def quick(
    payload: bytes, vehicle_id: int, received_at: float, window: tuple[float, float]
) -> tuple[Reading, int | None, int] | None:
    """The row of a sample in which nothing is odd, the oldest number in the car's spool, and where in the row the
    odometer stands; None when anything at all needs `telemetry`'s longer look. `window` is the `clock_window` of
    `received_at`.
    """
    if len(payload) > QUICK_BYTES:
        return None
    try:
        sample = _plain_sample(payload)
        signals = sample["signals"]
        shape = known_shapes.get(tuple(signals))
        if shape is None or not shape.plain or "vin" in sample:
            return None
        packed = shape.take(*signals.values())
        if packed is None:
            return None
        stamp = sample["ts"]
        known, rest = _seconds.get(stamp[:19]), _rests.get(stamp[19:])
        if known is None or rest is None:
            if not _learn_clock(stamp):
                return None
            known, rest = _seconds[stamp[:19]], _rests[stamp[19:]]
        car_ts = known[0] + rest
        if not window[0] <= car_ts <= window[1]:
            return None
        row = Reading(
            vehicle_id, sample["boot"], sample["seq"], car_ts, received_at, shape.ids, shape.stored(packed), known[1]
        )
        row.packed = packed
        return row, sample.get("oldest"), shape.odometer
    except (ValidationError, struct.error, OverflowError, ValueError, RecursionError):
        return None


def telemetry(payload: bytes, source: Source, received_at: float, *, accepted: bool = False) -> Decoded:
    """A sample as a row of believed values, with what was refused of it.

    `accepted`: a person accepts values out of range.
    """
    if too_much := _too_much(payload):
        return _nothing(source, payload, received_at, Refusal.TOO_LARGE, too_much)
    odd: tuple[Refused, ...] = ()
    try:
        try:
            sample = _sample(payload)
        except ValidationError as error:
            loose = salvage.loosely(payload)
            mended = salvage.sample(loose)
            if mended is None:
                return _refused_whole(payload, source, received_at, error, loose)
            sample, odd = _mended_sample(mended.body), _left_out(mended, source, payload, received_at)
        written = sample["ts"]
        if written.tzinfo is None:
            return _nothing(
                source,
                payload,
                received_at,
                Refusal.NOT_TELEMETRY,
                "ts: a time needs its zone, as in 2026-11-21T10:15:02Z",
                sample,
            )
        car_ts = as_utc(written).timestamp()
    except ValidationError as error:
        return _refused_whole(payload, source, received_at, error, salvage.loosely(payload))
    except (OverflowError, ValueError, RecursionError) as error:
        return _nothing(source, payload, received_at, Refusal.NOT_TELEMETRY, str(error)[:200])
    if "vin" in sample and sample["vin"] != source.vin:
        return _nothing(
            source, payload, received_at, Refusal.FOREIGN_VIN, "the payload names another car than the topic", sample
        )
    signals = sample["signals"]
    shape = shape_of(tuple(signals))
    ids = shape.ids
    values: tuple[float, ...] = ()
    refused: tuple[Refused, ...] = ()
    if shape.plain:
        try:
            values = shape.unpack(shape.pack(*signals.values()))
        except (struct.error, OverflowError):  # a null, or beyond float32
            values = ()
        if len(values) != len(ids) or not shape.believable(*values):
            ids, values, refused = _carefully(shape, tuple(signals.values()), payload, source, received_at, accepted)
    else:
        ids, values, refused = _carefully(shape, tuple(signals.values()), payload, source, received_at, accepted)
    boot, seq = sample.get("boot"), sample.get("seq")
    if (boot is None) != (seq is None):
        return _nothing(source, payload, received_at, Refusal.NOT_TELEMETRY, "boot and seq come together or not at all")
    reading = _reading(source, boot, seq, car_ts, received_at, ids, values, payload)
    odometer = shape.odometer if ids is shape.ids else ids.index(ODOMETER) if ODOMETER in ids else -1
    return Decoded(reading, sample.get("oldest"), odd + refused if odd else refused, None, None, odometer)


def diagnostics(payload: bytes, source: Source, received_at: float) -> Decoded:
    """A list of trouble codes as a row without values."""
    if too_much := _too_much(payload):
        return _nothing(source, payload, received_at, Refusal.TOO_LARGE, too_much)
    odd: tuple[Refused, ...] = ()
    try:
        # PostgreSQL keeps no NUL in a text
        body = None if b"\\u0000" in payload else Diagnostics.model_validate_json(payload)
    except (ValidationError, ValueError, RecursionError):
        body = None
    try:
        if body is None:
            mended = salvage.diagnostics(salvage.loosely(payload))
            body = (
                Diagnostics.model_validate_json(payload) if mended is None else Diagnostics.model_validate(mended.body)
            )
            odd = () if mended is None else _left_out(mended, source, payload, received_at)
        car_ts = body.ts.timestamp()
    except ValidationError as error:
        return _refused_whole(payload, source, received_at, error, salvage.loosely(payload))
    except (OverflowError, ValueError, RecursionError) as error:
        return _nothing(source, payload, received_at, Refusal.NOT_TELEMETRY, str(error)[:200])
    reading = _reading(source, body.boot, body.seq, car_ts, received_at, (), (), payload)
    reading.diagnostics = body
    return Decoded(reading, body.oldest, odd)


def status(payload: bytes) -> Status | None:
    """A hint, or None when it is not one; nothing depends on it."""
    if _too_much(payload):
        return None
    try:
        return Status.model_validate_json(payload)
    except (ValidationError, ValueError, RecursionError):
        return None


def _too_much(payload: bytes) -> str | None:
    """Why this is not even parsed."""
    if len(payload) > MAX_BYTES:
        return f"{len(payload)} bytes; at most {MAX_BYTES} are read"
    parts = payload.count(b",")
    return f"{parts} parts; at most {MAX_PARTS} are read" if parts > MAX_PARTS else None


def _reading(
    source: Source,
    boot: int | None,
    seq: int | None,
    car_ts: float,
    received_at: float,
    ids: tuple[int, ...],
    values: tuple[float, ...],
    payload: bytes,
) -> Reading:
    day = int(car_ts // 86_400)
    if day < FIRST_DAY or car_ts > received_at + FAR_S:
        day = IMPOSSIBLE_DAY
    mark = Mark.PLAIN
    if boot is None or seq is None:
        boot, seq, mark = NO_BOOT, own_key(payload), Mark.NO_COUNTER
    if car_ts > received_at + AHEAD_S or car_ts < EARLIEST or abs(received_at - car_ts - ROLLOVER_S) < 86_400:
        return Reading(
            source.vehicle_id, boot, seq, received_at, received_at, ids, values, day, car_ts, mark | Mark.CLOCK_SUSPECT
        )
    return Reading(source.vehicle_id, boot, seq, car_ts, received_at, ids, values, day, None, mark)


def own_key(payload: bytes) -> int:
    """63 bits of the payload (its timestamp is in it): the same message is the same row, however often it comes."""
    from hashlib import blake2b

    return int.from_bytes(blake2b(payload, digest_size=8).digest(), "big") >> 1


def _carefully(
    shape: Shape, values: tuple[Any, ...], payload: bytes, source: Source, received_at: float, accepted: bool
) -> tuple[tuple[int, ...], tuple[float, ...], tuple[Refused, ...]]:
    """Value by value: keep what can be believed, say why the rest cannot."""
    kept: dict[int, float] = {}
    odd: list[str] = []
    for (n, way), signal_id, path, low, high in zip(
        shape.convert, shape.ids, shape.paths, shape.lows, shape.highs, strict=True
    ):
        value = values[n]
        if value is None:
            continue
        number = float(value) if way is None else way(float(value))
        if abs(number) > FLOAT32_MAX or (not low <= number <= high and not accepted):
            odd.append(f"{path} = {number:g} is outside {low:g} … {high:g}")
        elif signal_id not in kept or way is None:  # the canonical name wins over an old one
            kept[signal_id] = struct.unpack("<f", struct.pack("<f", number))[0]
    refused = []
    if odd:
        refused.append(_refusal(source, payload, received_at, Refusal.OUT_OF_RANGE, "; ".join(odd)))
    if shape.unknown:
        names = ", ".join(ascii(name)[:80] for name in shape.unknown[:10])
        refused.append(_refusal(source, payload, received_at, Refusal.UNKNOWN_SIGNAL, names))
    return shared_ids(tuple(kept)), tuple(kept.values()), tuple(refused)


def without(reading: Reading, signal_id: int) -> None:
    """Take one value out of a row."""
    kept = [(i, v) for i, v in zip(reading.ids, reading.values, strict=True) if i != signal_id]
    reading.ids, reading.values, reading.packed = shared_ids(tuple(i for i, _ in kept)), tuple(v for _, v in kept), None


def _left_out(mended: salvage.Mended, source: Source, payload: bytes, received_at: float) -> tuple[Refused, ...]:
    """What could not be read of a message, with its path: one refusal of each kind."""
    kinds = {reason: [what for kind, what in mended.odd if kind is reason] for reason, _ in mended.odd}
    return tuple(_refusal(source, payload, received_at, reason, "; ".join(named)) for reason, named in kinds.items())


def _refused_whole(payload: bytes, source: Source, received_at: float, error: ValidationError, loose: Any) -> Decoded:
    """Which refusal it is, and its counters if they can be made out, so that it leaves no gap.

    `loose` is its JSON, if it has one.
    """
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in first["loc"] if part not in ("float", "bool"))
    detail = f"{where}: {first['msg']}" if where else str(first["msg"])
    if first["type"] == "json_invalid" and loose is None:
        return _nothing(source, payload, received_at, Refusal.NOT_JSON, detail)
    reason = Refusal.NOT_FINITE if first["type"] in ("json_invalid", "finite_number") else Refusal.NOT_TELEMETRY
    return _nothing(source, payload, received_at, reason, detail, loose)


def _nothing(
    source: Source, payload: bytes, received_at: float, reason: Refusal, detail: str, loose: Any = None
) -> Decoded:
    found = salvage.counters(payload, loose)
    boot, seq = found.get("boot"), found.get("seq")
    if boot is None or seq is None:
        boot = seq = None
    return Decoded(
        None, found.get("oldest"), (_refusal(source, payload, received_at, reason, detail, boot, seq),), boot, seq
    )


def _refusal(
    source: Source,
    payload: bytes,
    received_at: float,
    reason: Refusal,
    detail: str,
    boot: int | None = None,
    seq: int | None = None,
) -> Refused:
    clean = detail.replace("\0", "\\0").encode("utf-8", "backslashreplace").decode()[:1000]
    vin = source.vin if is_vin(source.vin) else None
    return Refused(
        vin,
        source.vehicle_id or None,
        source.topic,
        payload[:MAX_BYTES],
        reason,
        clean,
        from_epoch(received_at),
        boot,
        seq,
    )


refusal = _refusal
