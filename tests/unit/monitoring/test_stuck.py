"""A loop that hangs for good is said and ended; one that is only slow, or whose process was stopped as a whole, is
not.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
import threading

import pytest

from monitoring import stuck


async def test_a_loop_that_turns_is_left_alone() -> None:
    ended = threading.Event()
    pings: list[int] = []
    async with stuck.watched(lambda: pings.append(1), beat_s=0.005, end=ended.set):
        while len(pings) < stuck.ENDED_AFTER + 20:
            await asyncio.sleep(0.01)
    assert not ended.is_set()


async def test_a_loop_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(stuck, "SAID_AFTER", 3)
    monkeypatch.setattr(stuck, "ENDED_AFTER", 6)
    monkeypatch.setattr(sys, "__stderr__", sys.stderr)
    ended = threading.Event()
    async with stuck.watched(beat_s=0.01, end=ended.set):
        await asyncio.sleep(0)
        assert ended.wait(30)  # in the loop's own thread: this is the hang
    assert "test_a_loop_that_hangs_is_ended" in capfd.readouterr().err  # the place where it hung


def test_the_process_of_a_loop_that_hangs_ends_with_a_status_that_says_try_again() -> None:
    program = textwrap.dedent("""
        import asyncio, time
        from monitoring import stuck
        stuck.SAID_AFTER, stuck.ENDED_AFTER = 2, 4
        async def main():
            async with stuck.watched(beat_s=0.05):
                await asyncio.sleep(0)
                time.sleep(600)
        asyncio.run(main())
    """)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env={"PYTHONPATH": "."}
    )
    assert done.returncode == stuck.TRY_AGAIN
    assert "loop_stuck" in done.stdout + done.stderr and "time.sleep(600)" not in done.stdout
