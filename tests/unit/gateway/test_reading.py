"""Which sessions are read: whatever waits for an answer, whoever has not been read for long, and nobody above what may
be held.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.mqtt import broker as broker_module
from gateway.mqtt.address import BrokerAddress
from gateway.mqtt.broker import Broker
from gateway.mqtt.session import UNREAD_S, Session

NOW = 1_000.0


class Reader:
    """A broker of which every session has something to be read; what `_read` chose stands in `read`."""

    def __init__(self, sessions: int, *, in_hand: int, size: int, messages: int = 100) -> None:
        self.broker = Broker(BrokerAddress.from_url("mqtt://gateway:-@127.0.0.1"), window=1_000, held=1_000_000)
        self.broker.backlog, self.broker.backlog_bytes = lambda: in_hand, lambda: size
        self.read: list[int] = []
        self.sessions = [Session(self.broker, bucket) for bucket in range(sessions)]
        for session in self.sessions:
            session.subscribed.set()
            session.read_at, session.unanswered_since = NOW, NOW - 5.0
            session.client = SimpleNamespace(loop_read=lambda session=session: self._brings(session, messages))
        self.broker._by_fd = dict(enumerate(self.sessions))
        self.broker._poll = SimpleNamespace(poll=lambda _timeout: [(fd, 1) for fd in self.broker._by_fd])  # type: ignore[assignment]
        self.broker._watch_all = lambda: None  # type: ignore[method-assign]

    def _brings(self, session: Session, messages: int) -> None:
        self.read.append(session.bucket)
        if messages:
            session.take_many([b"t"] * messages, [b"p" * 99] * messages, list(range(1, messages + 1)))

    def turn(self, monkeypatch: pytest.MonkeyPatch) -> list[int]:
        monkeypatch.setattr(broker_module.time, "monotonic", lambda: NOW)
        self.read.clear()
        self.broker._read()
        return self.read


def test_below_the_window_all_are_read_until_there_is_enough(monkeypatch: pytest.MonkeyPatch):
    reader = Reader(16, in_hand=0, size=0)
    assert len(reader.turn(monkeypatch)) == 10  # of a hundred messages each


def test_the_turn_begins_with_another_session_each_time(monkeypatch: pytest.MonkeyPatch):
    reader = Reader(16, in_hand=900, size=0, messages=100)
    first: set[int] = set()
    for _ in range(16):
        first.update(reader.turn(monkeypatch))
        reader.broker._inbox.clear()
        for session in reader.sessions:
            session.chunk = None
    assert first == set(range(16))


@given(waiting=st.sets(st.integers(0, 15)), unread=st.sets(st.integers(0, 15)), in_hand=st.integers(1_000, 10**9))
def test_above_the_window_exactly_those_are_read_who_wait_for_an_answer_or_were_left_unread(waiting, unread, in_hand):
    reader = Reader(16, in_hand=in_hand, size=0)
    for bucket in waiting:
        reader.sessions[bucket].subscribed.clear()
    for bucket in unread:
        reader.sessions[bucket].read_at = NOW - UNREAD_S - 0.1
    with pytest.MonkeyPatch.context() as patched:
        assert set(reader.turn(patched)) == waiting | unread


def test_above_what_may_be_held_nobody_is_read_and_no_silence_counts(monkeypatch: pytest.MonkeyPatch):
    reader = Reader(16, in_hand=0, size=1_000_000)
    reader.sessions[3].subscribed.clear()
    assert reader.turn(monkeypatch) == []
    assert all(session.silent_for(NOW + 1.0) == 1.0 for session in reader.sessions)


def test_one_turn_takes_no_more_than_one_read_above_what_may_be_held(monkeypatch: pytest.MonkeyPatch):
    reader = Reader(16, in_hand=0, size=990_000)
    for session in reader.sessions:
        session.subscribed.clear()
    assert len(reader.turn(monkeypatch)) == 1


@pytest.mark.parametrize(("subscribed", "messages", "silent"), [(True, 0, 5.0), (True, 1, 0.0), (False, 0, 0.0)])
def test_messages_prove_a_subscription_and_a_session_without_one_gets_on_with_whatever_comes(
    monkeypatch: pytest.MonkeyPatch, subscribed, messages, silent
):
    reader = Reader(1, in_hand=0, size=0, messages=messages)
    if not subscribed:
        reader.sessions[0].subscribed.clear()
    reader.turn(monkeypatch)
    assert reader.sessions[0].silent_for(NOW) == silent


def test_a_pulse_that_is_not_heard_is_waited_for_from_the_first_one_on():
    session: Any = Reader(1, in_hand=0, size=0).sessions[0]
    session.client = SimpleNamespace(socket=lambda: None)
    session.unanswered_since = None
    session.pulse(NOW)
    session.pulse(NOW + 3.0)
    assert session.silent_for(NOW + 4.0) == 4.0
    session.take(session.pulse_topic.encode(), b"0", 0, dup=False, retained=False)
    assert session.silent_for(NOW + 4.0) == 0.0
