"""What repeats itself is logged now and then, with how often it was."""

from __future__ import annotations

from typing import Any

from gateway.log_sampling import Seldom


def test_a_thousand_repetitions_are_one_line_and_the_next_says_how_many_there_were():
    result: list[tuple[str, dict[str, Any]]] = []
    at = [0.0]
    seldom = Seldom(10.0, clock=lambda: at[0])

    def log(event: str, **more: Any) -> None:
        result.append((event, more))

    for _ in range(1_000):
        seldom.say(log, "session_retry", reason="ConnectionRefusedError", bucket=3)
    seldom.say(log, "session_retry", reason="TimeoutError", bucket=3)
    at[0] = 10.0
    seldom.say(log, "session_retry", reason="ConnectionRefusedError", bucket=4)
    assert result == [
        ("session_retry", {"reason": "ConnectionRefusedError", "bucket": 3}),
        ("session_retry", {"reason": "TimeoutError", "bucket": 3}),
        ("session_retry", {"reason": "ConnectionRefusedError", "bucket": 4, "times_before": 999}),
    ]
