"""Reading in bulk gives what stock paho gives, however the bytes are cut."""

from __future__ import annotations

import random
import socket

import paho.mqtt.client as paho
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.mqtt.bulk_reader import BulkClient, self_check
from gateway.mqtt.packets import publish_packet


class Taker:
    def __init__(self) -> None:
        self.taken: list[tuple[bytes, bytes, int, bool, bool]] = []

    def take(self, topic: bytes, payload: bytes, mid: int, dup: bool, retained: bool) -> None:
        self.taken.append((topic, bytes(payload), mid, dup, retained))

    def take_many(self, topics: list[bytes], payloads: list[bytes], mids: list[int]) -> None:
        self.taken += [(t, p, m, False, False) for t, p, m in zip(topics, payloads, mids, strict=True)]


def packet(first: int, topic: bytes, mid: int, payload: bytes, v5: bool) -> bytes:
    body = len(topic).to_bytes(2, "big") + topic + (mid.to_bytes(2, "big") if first & 6 else b"")
    body += (b"\x02\x01\x01" if mid % 3 == 0 else b"\x00") if v5 else b""  # properties: a payload format, or none
    body += payload
    length, head = len(body), bytearray([first])
    while True:
        length, digit = divmod(length, 128)
        head.append(digit | 0x80 if length else digit)
        if not length:
            return bytes(head) + body


PIECE = 32 * 1024


def read(stream: bytes, cuts: list[int], *, bulk: bool, v5: bool) -> list[tuple[bytes, bytes, int, bool, bool]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    taker = Taker()
    client = BulkClient(taker, bulk=bulk, client_id="x", protocol=paho.MQTTv5 if v5 else paho.MQTTv311)
    client._sock = ours
    at = 0
    for cut in [*sorted(cuts), len(stream)]:
        while at < cut:  # in pieces that the socket holds: nobody reads while we send
            theirs.sendall(stream[at : min(cut, at + PIECE)])
            at = min(cut, at + PIECE)
            client.loop_read()
    client._sock = None
    ours.close()
    theirs.close()
    return taker.taken


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 10**9), st.booleans())
def test_any_stream_cut_anywhere_is_read_alike(seed, v5):
    dice = random.Random(seed)
    stream, expected = b"", []
    for mid in range(1, dice.randrange(2, 40)):
        if dice.random() < 0.1:
            stream += b"\xd0\x00"  # PINGRESP: not ours to read
            continue
        first = dice.choice((0x32, 0x32, 0x32, 0x30, 0x3A, 0x33))
        payload = dice.randbytes(dice.choice((0, 5, 130, 500, 20_000)))
        topic = b"vehicles/%02d/V/up/telemetry" % dice.randrange(16)
        stream += packet(first, topic, mid, payload, v5)
        expected.append((topic, payload, mid if first & 2 else 0, bool(first & 8), bool(first & 1)))
    cuts = [dice.randrange(len(stream) + 1) for _ in range(dice.randrange(5))]
    assert read(stream, cuts, bulk=True, v5=v5) == expected
    assert read(stream, cuts, bulk=False, v5=v5) == expected


@pytest.mark.parametrize("garbage", [b"\x32\xff\xff\xff\xff\xff", b"\xf0\x80\x80\x80\x80\x01", bytes(200)])
def test_what_is_no_mqtt_ends_the_connection_and_raises_nothing(garbage):
    read(garbage, [], bulk=True, v5=False)


def test_this_paho_is_the_one_we_know():
    assert self_check()


@pytest.mark.parametrize("size", [0, 1, 127, 128, 20_000])
def test_our_own_publish_is_read_back(size):
    assert read(publish_packet("a/b", b"x" * size, 4), [], bulk=True, v5=False) == [
        (b"a/b", b"x" * size, 0, False, False)
    ]
    assert read(publish_packet("a/b", b"x" * size, 5), [], bulk=True, v5=True) == [
        (b"a/b", b"x" * size, 0, False, False)
    ]
