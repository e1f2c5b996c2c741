"""What a sender may get wrong, kind by kind: each makes one payload from the dice.

Sizes are mostly small, now and then enormous.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from schemas.signal import ALIASES, BY_PATH

_PATHS = [*BY_PATH, *ALIASES]
_GOOD = (
    b'{"boot":41,"seq":1234,"oldest":1190,"ts":"2026-11-18T10:15:02.120Z",'
    b'"signals":{"Vehicle.Speed":83.1,"Vehicle.IsMoving":true}}'
)
_HEAD = '{"boot":%d,"seq":%d,"ts":"2026-11-18T10:15:02Z","signals":{'
FULL = 65_536  #: the largest that is read

Kind = Callable[[random.Random], bytes]


def _size(dice: random.Random, most: int = FULL) -> int:
    """One in forty fills a whole message, one in two hundred is many times too large."""
    draw = dice.random()
    if draw < 0.005:
        return most * dice.choice((2, 8, 16))
    return most - 300 if draw < 0.03 else int(most ** dice.uniform(0.1, 0.75))


def _sample(dice: random.Random, inner: str) -> bytes:
    return (_HEAD % (dice.randrange(9), dice.randrange(10**6)) + inner + "}}").encode("utf-8", "surrogatepass")


def noise(dice: random.Random) -> bytes:
    """Any bytes."""
    return dice.randbytes(_size(dice))


def damaged(dice: random.Random) -> bytes:
    """A good message with a few bytes changed, lost or repeated."""
    body = bytearray(_GOOD)
    for _ in range(dice.randrange(1, 6)):
        at = dice.randrange(len(body))
        match dice.randrange(4):
            case 0:
                body[at] = dice.randrange(256)
            case 1:
                del body[at : at + dice.randrange(1, 5)]
            case 2:
                body[at:at] = body[at : at + dice.randrange(1, 20)]
            case _:
                body[at:at] = dice.choice((b"\x00", b'"', b"{", b"\xff", b"\\", b"1e400", b"\xed\xa0\x80"))
        if not body:
            break
    return bytes(body[: dice.randrange(1, len(body) + 1)] if body and dice.random() < 0.2 else body)


def depth(dice: random.Random) -> bytes:
    """Brackets in brackets, closed or not, alone or where a value belongs."""
    opening, closing = dice.choice((("[", "]"), ('{"a":', "}"), ('[{"":', "}]")))
    levels = max(1, _size(dice) // (len(opening) + len(closing)))
    nest = opening * levels + (dice.choice(("1", "", "null")) + closing * levels if dice.random() < 0.7 else "")
    where = dice.randrange(4)
    if where == 0:
        return nest.encode()
    if where == 1:
        return _sample(dice, f'"Vehicle.Speed":{nest}')
    if where == 2:
        return _GOOD[:-1] + b',"more":' + nest.encode() + b"}"
    return _GOOD[:-1] + b',"vin":' + nest.encode() + b"}"


def numbers(dice: random.Random) -> bytes:
    """Beyond float, beyond float32, not finite, thousands of digits, or no number at all."""

    def number() -> str:
        digits = "9" * _size(dice, 20_000)
        return dice.choice(
            (
                "1e400",
                "-1e400",
                "1e-400",
                "1e308",
                "3.5e38",
                "-3.5e38",
                "NaN",
                "Infinity",
                "-Infinity",
                "nan",
                "-0",
                "-0.0",
                "00",
                "+1",
                "1.",
                ".5",
                "0x10",
                "1e",
                "1_000",
                digits,
                f"-{digits}",
                f"0.{digits}",
                f"1e{digits[:6]}",
                "5e-324",
                "254",
                "65535",
                "1e5",
                "true",
                "-",
            )
        )

    return _sample(dice, ",".join(f'"{path}":{number()}' for path in dice.sample(_PATHS, dice.randrange(1, 5))))


def surrogates(dice: random.Random) -> bytes:
    """Half of a character, escaped or raw, as a name, a value or beside them."""
    half = dice.choice(("\\ud800", "\\udfff", "\\ud83d", "\\ude00\\ud83d", "\ud800", "\udc80", "\\uD8", "\\u"))
    text = half * max(1, _size(dice, 20_000) // 6)
    where = dice.randrange(4)
    if where == 0:
        return _sample(dice, f'"{text}":1')
    if where == 1:
        return _sample(dice, f'"Vehicle.Speed":"{text}"')
    if where == 2:
        return _GOOD[:-1] + f',"vin":"{text}"}}'.encode("utf-8", "surrogatepass")
    return _GOOD.replace(b"2026", text.encode("utf-8", "surrogatepass"))


def nul(dice: random.Random) -> bytes:
    """NUL, escaped or raw: PostgreSQL keeps none in a text."""
    null = dice.choice(("\\u0000", "\0", "\\0")) * dice.choice((1, 1, 3, 1000))
    return dice.choice(
        (
            lambda: _sample(dice, f'"Vehicle{null}":1'),
            lambda: _sample(dice, f'"{null}":null,"Vehicle.Speed":"{null}"'),
            lambda: _GOOD + null.encode(),
            lambda: null.encode() + _GOOD,
            lambda: _codes(dice, f"P0301{null}"),
            lambda: _GOOD.replace(b"Vehicle.Speed", b"Vehicle.Speed" + null.encode()),
        )
    )()


def twice(dice: random.Random) -> bytes:
    """The same name again and again, inside and outside."""
    path = dice.choice(_PATHS)
    times = max(2, _size(dice) // (len(path) + 8))
    if dice.random() < 0.5:
        return _sample(dice, ",".join(f'"{path}":{n}' for n in range(times)))
    name = dice.choice(("boot", "seq", "ts", "signals", "oldest", "vin"))
    value = dice.choice(("1", '"2026-11-18T10:15:02Z"', "{}", '{"Vehicle.Speed":1}', "null"))
    return _GOOD[:-1] + f',"{name}":{value}'.encode() * min(times, FULL // (len(name) + len(value) + 4)) + b"}"


def strangers(dice: random.Random) -> bytes:
    """Signals that nobody knows: many, long, and of every script."""
    letters = dice.choice(("abcdefgh.", "äöüß.", "信号値。", "\U0001f697\U0001f600", '\\u0041\\"'))
    count = dice.choice((1, 5, 40, 255, 256, 257, 1000))
    long = max(1, min(_size(dice) // count, 60_000))
    return _sample(dice, ",".join(f'"{n}{letters * (long // len(letters) + 1)}":{n}' for n in range(count)))


def shapes(dice: random.Random) -> bytes:
    """Known signals, old names among them, in ever new selections and orders, half of them out of range."""
    some = dice.sample(_PATHS, dice.randrange(len(_PATHS) + 1))
    values = (dice.choice((0, 1, 50, -300, 1e9, True, False, None, round(dice.uniform(-1e4, 1e6), 2))) for _ in some)
    return _sample(dice, json.dumps(dict(zip(some, values, strict=True)))[1:-1])


def types(dice: random.Random) -> bytes:
    """JSON, but not what the contract says: any value in any place."""
    odd: tuple[object, ...] = (
        None,
        True,
        0,
        -1,
        1.5,
        "",
        "1",
        "x" * _size(dice, 5_000),
        [],
        {},
        [1, [2]],
        {"a": {"b": []}},
        2**53 + 1,
        2**64,
        10**400,
        1e300,
    )
    body: dict[str, object] = json.loads(_GOOD)
    for name in dice.sample([*body, "vin", "codes", "mil", "state"], dice.randrange(1, 5)):
        body[name] = dice.choice(odd)
    if isinstance(body["signals"], dict) and dice.random() < 0.7:
        body["signals"] = {path: dice.choice(odd) for path in dice.sample(_PATHS, dice.randrange(40))}
    whole: object = body if dice.random() < 0.9 else dice.choice(odd)
    return json.dumps(whole).encode()


def times(dice: random.Random) -> bytes:
    """Instants of every age and spelling."""
    year = dice.choice((1, 0, 1969, 1980, 2007, 2014, 2026, 2027, 2038, 9999, 10000, -1))
    zone = dice.choice(("Z", "", "+00:00", "-23:59", "+24:00", "z", " ", "+99:99", "Europe/Berlin"))
    ts = dice.choice(
        (
            f'"{year:04d}-{dice.randrange(14):02d}-{dice.randrange(33):02d}T{dice.randrange(26):02d}:{dice.randrange(62):02d}:{dice.randrange(62):02d}{zone}"',
            f'"{year:04d}-11-18{zone}"',
            str(dice.randrange(-(10**6), 2 * 10**9)),
            str(10 ** dice.randrange(1, 40)),
            f"1e{dice.randrange(320)}",
            "NaN",
            "null",
            '"now"',
            f'"{"1" * _size(dice, 3_000)}"',
            "1795000000.123456789123",
            "true",
            "[2026,11,18]",
        )
    )
    return _GOOD.replace(b'"2026-11-18T10:15:02.120Z"', ts.encode())


def counters(dice: random.Random) -> bytes:
    """Numbers of boots and messages that cannot be."""
    odd = (
        "-1",
        "0",
        "1.0",
        "1.5",
        "1e3",
        "1e400",
        "true",
        "null",
        '"1"',
        str(2**53),
        str(2**53 + 1),
        str(2**63),
        "9" * 400,
        "[]",
        "NaN",
        "-0",
        "{}",
    )
    body = _GOOD
    for name, value in ((b'"boot":41', "boot"), (b'"seq":1234', "seq"), (b'"oldest":1190', "oldest")):
        if dice.random() < 0.5:
            body = body.replace(name, f'"{value}":{dice.choice(odd)}'.encode())
    return body


def _codes(dice: random.Random, code: str) -> bytes:
    system, status = dice.choice(("obd", "uds", "j1939", "can")), dice.choice(("pending", "confirmed", "gone"))
    one = f'{{"system":"{system}","code":"{code}","status":"{status}"}}'
    return f'{{"boot":1,"seq":{dice.randrange(999)},"ts":"2026-11-18T10:15:02Z","mil":true,"codes":[{one}]}}'.encode(
        "utf-8", "surrogatepass"
    )


def diagnoses(dice: random.Random) -> bytes:
    """Lists of trouble codes: long, odd, with a freeze frame of anything."""
    count = dice.choice((0, 1, 3, 256, 257, 700))
    code = dice.choice(
        ("P0301", "980/9", "P0301-1A", "p0301", "", "X" * 40, "\\ud800", "\\u0000", "P" * _size(dice, 2_000))
    )
    body = _codes(dice, code)
    if count != 1:
        one = body[body.index(b'{"system"') : body.rindex(b"]")]
        body = body.replace(one, b",".join([one] * count))
    if dice.random() < 0.5:
        values = ",".join(
            f'"{path}":{dice.choice(("1", "null", "1e400", "[]", "true"))}'
            for path in dice.sample(_PATHS, dice.randrange(30))
        )
        body = body[:-1] + f',"freeze_frame":{{"code":"{code}","signals":{{{values}}}}}}}'.encode(
            "utf-8", "surrogatepass"
        )
    return body


def hints(dice: random.Random) -> bytes:
    """What comes on `status`."""
    values = ",".join(
        f'"{n}{dice.choice(_PATHS)}":{dice.choice(("1", "null", "1e400", "[[]]", "true"))}'
        for n in range(dice.choice((0, 1, 30, 600)))
    )
    state = dice.choice(("online", "offline", "ONLINE", "", "\\ud800", "x" * _size(dice)))
    return f'{{"state":"{state}","signals":{{{values}}}}}'.encode("utf-8", "surrogatepass")


def crowds(dice: random.Random) -> bytes:
    """As many tiny values as fit, each of them wrong or none: what errors cost that are collected one by one."""
    one = dice.choice(
        ('"%x":[]', '"%x":{}', '"%x":""', '"%x":NaN', '"%x":1e400', '"%x":1', '{"%x":1}', "1", "{}", '"\\u%04x"')
    )
    entries, long, n = [], 0, 0
    most = FULL - 200 if dice.random() < 0.3 else _size(dice)
    while long < most:
        entries.append(one % n if "%" in one else one)
        long, n = long + len(entries[-1]) + 1, n + 1
    inner = ",".join(entries)
    head = '{"boot":1,"seq":2,"state":"online","mil":true,' + dice.choice(('"ts":"2026-11-18T10:15:02Z",', ""))
    field = dice.choice(
        (
            '"signals":{%s}}',
            '"codes":[%s]}',
            '"codes":[],"freeze_frame":{"code":"P0301","signals":{%s}}}',
            '"more":[%s]}',
        )
    )
    return (head + field % inner).encode()


KINDS: list[Kind] = [
    noise,
    damaged,
    depth,
    numbers,
    surrogates,
    nul,
    twice,
    strangers,
    shapes,
    types,
    times,
    counters,
    diagnoses,
    hints,
    crowds,
]
