"""The checker of the nights: it sees each way in which a text could be wrong, and the programme has each kind of
fault.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from proofs.operations.checking import Row, texts_wrong
from proofs.operations.desk import History, Refusals, Written
from proofs.operations.faults import KINDS
from proofs.operations.proof import STANDS_AGAINST, programme
from proofs.production.sms import Text
from proofs.sabotage import SWITCHES

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
NEVER = float("inf")


def row(
    state: str = "sent", *, kind: str = "free", due: float = 0, over: float | None = None, reason: str | None = None
) -> Row:
    """`due` and `over` in seconds after noon."""
    return Row(
        "r",
        state,
        reason,
        kind,
        "hello",
        1,
        NOON + timedelta(seconds=due),
        None if over is None else NOON + timedelta(seconds=over),
    )


def kinds(
    rows: list[Row],
    handed: list[float],
    *,
    stop: tuple[float, float] | None = None,
    written: bool = False,
    reference: str = "r",
) -> list[str]:
    """`handed`: when it was handed over, in seconds after noon."""
    history = History(
        written=[Written("hello", 1, 0.0)] if written else [], refusals={1: [Refusals(*stop)]} if stop else {}
    )
    texts = [Text(f"SM{n}", reference, "+49", "+49", "hello", at) for n, at in enumerate(handed)]
    return [
        kind
        for kind, _ in texts_wrong(
            history, texts, rows, lambda at: NOON + timedelta(seconds=at), NOON + timedelta(days=4)
        )
    ]


@pytest.mark.parametrize(
    ("found", "handed", "more", "wrong"),
    [
        (row(), [5], {}, []),
        (row(), [5, 9], {}, ["twice"]),
        (row(), [], {}, ["lost"]),
        (row("claimed"), [5], {}, ["unsettled"]),
        (row("queued"), [], {}, ["unsettled"]),
        (row("queued", due=9 * 86_400), [], {}, []),
        (row("failed", reason="tried too often"), [], {}, ["lost"]),
        (row("failed", reason="too late: it was due yesterday"), [], {}, []),
        (row("failed", due=3.5 * 86_400, reason="too late: it was due yesterday"), [], {}, ["lost"]),
        (row(), [30], {"stop": (20, NEVER)}, ["after STOP"]),
        (row(), [20.5], {"stop": (20, NEVER)}, []),
        (row(), [50], {"stop": (20, 40)}, []),
        (row(kind="stopped"), [30], {"stop": (20, NEVER)}, []),
        (row("cancelled", reason="not allowed: the owner said STOP"), [], {}, ["lost"]),
        (row("cancelled", reason="not allowed: the owner said STOP"), [], {"stop": (20, NEVER)}, []),
        (row("cancelled", reason="no longer true: x"), [], {}, ["lost"]),
        (row("cancelled", kind="offer", reason="no longer true: x"), [], {}, []),
        (row(), [2 * 86_400], {}, ["stale"]),
        (row(kind="staff_alert"), [2 * 86_400], {}, []),
        (row(kind="reminder", over=100), [200], {}, ["stale"]),
        (row(kind="reminder", over=100), [50], {}, []),
        (row(), [5], {"written": True}, []),
        (row(), [5], {"reference": "another"}, ["strange", "lost"]),
    ],
)
def test_the_checker_sees_it(found: Row, handed: list[float], more: dict[str, object], wrong: list[str]) -> None:
    assert kinds([found], handed, **more) == wrong  # type: ignore[arg-type]


def test_what_was_answered_201_and_stands_in_no_book_is_lost() -> None:
    assert kinds([], [], written=True) == ["lost"]
    assert kinds([row(), row()], [5], written=True) == ["twice"]


def test_a_programme_has_each_kind_and_is_the_same_for_the_same_seed() -> None:
    first, again = (programme(KINDS, 40, random.Random(7)) for _ in range(2))
    assert first == again and set(first) == set(KINDS) and len(first) == 40
    assert len(programme(KINDS, 3, random.Random(7))) == 3


def test_the_command_names_every_switch() -> None:
    from telltale.commands import prove

    result = " ".join(str(option) for option in prove.operations.__annotations__.values())
    assert all(name in result for name in SWITCHES)


def test_every_switch_has_the_faults_against_which_its_guard_stands() -> None:
    assert set(STANDS_AGAINST) == set(SWITCHES)
    assert {kind for kinds in STANDS_AGAINST.values() for kind in kinds.split(",")} <= set(KINDS)
