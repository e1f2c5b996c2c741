"""What has arrived, what is missing, and in which order it is judged."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.fleet.sequence import ASK_EVERY_S, ASKS, FIRST_ASK_S, REORDER_S, Arrival, MessageSequence
from schemas.reading import Reading


def row(boot: int, seq: int) -> Reading:
    return Reading(1, boot, seq, 0.0, 0.0, (), (), 20_000)


class Fold:
    """The sequence with a list of what is judged, as the intake uses it."""

    def __init__(self, sequence: MessageSequence | None = None, *, fast: bool = False) -> None:
        """`fast`: what is simply the next number moves one number, as in gateway/intake/fast_path.py."""
        self.sequence, self.fast = sequence or MessageSequence(), fast
        self.judged: list[tuple[int, int]] = []
        self.late: list[tuple[int, int]] = []
        self.duplicates = 0

    def hear(self, boot: int, seq: int, oldest: int | None = None, now: float = 0.0) -> Arrival:
        if self.fast and (boot, seq) == (self.sequence.boot, self.sequence.expected):
            self.sequence.expected, arrival = seq + 1, Arrival.NEXT
        else:
            arrival = self.sequence.arrive(boot, seq, oldest, now)
        if arrival is Arrival.NEXT:
            self.judged.append((boot, seq))
        elif arrival is Arrival.LATE:
            self.late.append((boot, seq))
        elif arrival is Arrival.WAITS:
            self.sequence.hold(row(boot, seq))
        elif arrival is Arrival.DUPLICATE:
            self.duplicates += 1
        self.drain(now)
        return arrival

    def drain(self, now: float) -> None:
        self.judged += [(r.boot, r.seq) for r in self.sequence.ready(now)]


def test_the_next_row_is_judged_at_once_and_a_repetition_is_a_duplicate():
    fold = Fold()
    assert [fold.hear(1, n) for n in (1, 2, 2, 3)] == [Arrival.NEXT, Arrival.NEXT, Arrival.DUPLICATE, Arrival.NEXT]
    assert fold.sequence.upto(1) == 3


def test_behind_a_gap_rows_wait_until_it_closes():
    fold = Fold()
    for n in (1, 2, 5, 4):
        fold.hear(1, n)
    assert fold.judged == [(1, 1), (1, 2)] and fold.sequence.upto(1) == 2
    fold.hear(1, 3)
    assert fold.judged == [(1, n) for n in range(1, 6)] and fold.sequence.upto(1) == 5
    assert not fold.sequence.gaps and len(fold.sequence.closed) == 1


def test_after_the_reorder_window_the_waiting_are_judged_and_what_then_comes_is_late():
    fold = Fold()
    fold.hear(1, 1, now=0)
    fold.hear(1, 4, now=0)
    fold.drain(REORDER_S - 1)
    assert fold.judged == [(1, 1)]
    fold.drain(REORDER_S + 1)
    assert fold.judged == [(1, 1), (1, 4)]
    assert fold.hear(1, 3, now=REORDER_S + 2) is Arrival.LATE
    assert fold.hear(1, 3, now=REORDER_S + 2) is Arrival.DUPLICATE
    assert fold.sequence.upto(1) == 1, "2 is still missing: the car must keep it"


def test_the_first_word_of_a_car_tells_by_oldest_what_is_missing():
    fold = Fold()
    assert fold.hear(7, 10, oldest=8) is Arrival.WAITS
    assert [(g.first, g.last) for g in fold.sequence.gaps] == [(8, 9)]
    fold = Fold()
    assert fold.hear(7, 5_000) is Arrival.NEXT, "without oldest nothing is known to be missing"


def test_the_head_of_a_young_counter_is_waited_for_because_a_gateway_that_died_may_have_left_it_with_the_broker():
    fold = Fold()
    assert [fold.hear(1, n) for n in (4, 5, 1, 2)] == [Arrival.WAITS, Arrival.WAITS, Arrival.WAITS, Arrival.WAITS]
    fold.hear(1, 3)
    assert fold.judged == [(1, n) for n in range(1, 6)] and not fold.late
    fold = Fold()
    assert fold.hear(1, 0) is Arrival.NEXT and fold.hear(1, 1) is Arrival.NEXT, "some devices count from 0"


def test_a_new_boot_waits_for_the_gaps_of_the_boot_before():
    fold = Fold()
    for boot, seq in ((1, 1), (1, 3), (2, 1)):
        fold.hear(boot, seq)
    assert fold.judged == [(1, 1)]
    fold.hear(1, 2)
    assert fold.judged == [(1, 1), (1, 2), (1, 3), (2, 1)]


def test_a_forgotten_boot_is_a_stranger_until_it_is_learned():
    fold = Fold()
    for boot in range(1, 8):
        fold.hear(boot, 1)
    assert fold.hear(1, 2) is Arrival.STRANGER
    fold.sequence.learn(1, [1, 4])
    assert fold.hear(1, 4) is Arrival.DUPLICATE
    assert fold.hear(1, 2) is Arrival.LATE
    assert fold.hear(1, 5) is Arrival.LATE


def test_what_the_car_no_longer_has_is_given_up_and_may_still_be_found():
    fold = Fold()
    for n in (1, 6):
        fold.hear(1, n)
    fold.sequence.give_up_below(1, 4)
    assert fold.sequence.upto(1) == 3 and fold.sequence.gaps[0].left == [[4, 5]]
    fold.sequence.give_up_below(1, 6)
    fold.drain(0)
    assert fold.sequence.upto(1) == 6 and fold.judged[-1] == (1, 6)
    assert fold.hear(1, 2) is Arrival.LATE
    assert fold.hear(1, 2) is Arrival.DUPLICATE


def test_a_checkpoint_stands_still_while_the_next_batch_moves_on():
    """It is written while more is being judged: were it to follow, a redelivery after a crash would look like a
    duplicate.
    """
    fold = Fold()
    for n in (1, 6):
        fold.hear(1, n)
    kept = fold.sequence.dump()
    fold.hear(1, 3)
    fold.sequence.give_up_below(1, 3)
    after = Fold(MessageSequence.load(kept, 0.0))
    assert [after.hear(1, n) for n in (2, 3, 4, 5)] == [Arrival.WAITS] * 4 and not after.duplicates


def test_a_gap_is_asked_for_three_times_and_then_given_up_but_never_while_the_car_is_silent():
    fold = Fold()
    for n in (1, 3):
        fold.hear(1, n, now=0)
    f = fold.sequence
    assert f.asks(FIRST_ASK_S / 2, 0, 100) == []
    now, heard = FIRST_ASK_S, 0.0
    for asked in range(1, ASKS + 1):
        assert f.asks(now, now, heard) == [(1, 2, 2)]
        assert f.asks(now + ASK_EVERY_S * 3, now + 50, heard) == [], "it has said nothing since we asked"
        heard, now = now + 1, now + ASK_EVERY_S
        assert f.gaps[0].asked == asked
    assert f.asks(now, now, heard) == [] and f.gaps, "the broker may still redeliver it"
    now = REORDER_S
    assert f.asks(now, now, heard) == [] and not f.gaps and f.upto(1) == 3


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 60), st.floats(0, 1), st.booleans())
def test_any_order_with_repetitions_and_restarts_is_judged_in_the_order_of_the_car(seed, count, restarts, fast):
    """Within the reorder window the judged order is (boot, seq), each once, whatever the broker does; a restart in
    between (checkpoint, then the stored rows above it) changes nothing."""
    dice = random.Random(seed)
    sent = [(1 + n // 25, 1 + n % 25) for n in range(count)]
    heard = [key for key in sent for _ in range(dice.choice((1, 1, 2)))]
    for n in range(len(heard) - 1):
        if dice.random() < 0.5:
            m = min(len(heard) - 1, n + dice.randrange(8))
            heard[n], heard[m] = heard[m], heard[n]
    tops: dict[int, bool] = {}
    fold = Fold(fast=fast)
    for boot, seq in heard:
        fold.hear(boot, seq, oldest=1)
        tops[boot] = True
        if dice.random() < restarts / 5:
            again = Fold(MessageSequence.load(fold.sequence.dump(), 0.0), fast=fast)
            for key in sorted(fold.sequence.waiting):
                again.sequence.hold(row(*key))
            again.judged, again.late, again.duplicates = fold.judged, fold.late, fold.duplicates
            fold = again
    seen = fold.judged + fold.late
    assert sorted(seen) == sorted(set(sent)) and len(seen) == len(set(seen))
    assert fold.judged == sorted(fold.judged)
    assert not fold.sequence.waiting and not fold.sequence.gaps


def test_what_came_before_the_first_that_we_heard_is_late_and_no_duplicate():
    f = MessageSequence()
    assert f.arrive(1, 5_059, None, 0) is Arrival.NEXT
    assert f.arrive(1, 5_001, None, 1) is Arrival.LATE, "the broker owed it to a gateway that died"
    assert f.arrive(1, 5_001, None, 2) is Arrival.DUPLICATE
    assert f.arrive(1, 5_058, None, 2) is Arrival.LATE
    assert f.arrive(1, 5_060, None, 2) is Arrival.NEXT


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 80))
def test_the_next_number_by_itself_leaves_the_sequence_where_the_whole_arrival_leaves_it(seed, count):
    dice = random.Random(seed)
    long, short = Fold(), Fold(fast=True)
    boot, seq = 1, 0
    for n in range(count):
        boot, seq = (boot + 1, 0) if dice.random() < 0.05 else (boot, seq)
        seq += dice.choices((1, 0, 3, -2), (20, 1, 1, 1))[0]
        oldest = dice.choice((None, 1, max(0, seq - 5)))
        assert long.hear(boot, max(0, seq), oldest, n * 2.0) is short.hear(boot, max(0, seq), oldest, n * 2.0)
        if dice.random() < 0.3:
            assert long.sequence.asks(n * 2.0, n, n) == short.sequence.asks(n * 2.0, n, n)
        for fold in (long, short):
            fold.drain(n * 2.0)
        assert long.sequence.dump() == short.sequence.dump() and long.sequence.upto(boot) == short.sequence.upto(boot)
    assert (long.judged, long.late, long.duplicates) == (short.judged, short.late, short.duplicates)
