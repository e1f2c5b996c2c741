"""Our own description, walked by schemathesis: it links the calls by what their answers name and makes up the rest.

    python -m proofs.doors.described URL CALLS SEED KEY CANARY OF_THE_OTHER

A process of its own, for it waits for each answer. What came of it is one JSON object on standard output.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from proofs.doors.callers import Answer
from proofs.doors.walk import Tally

_LEFT_OUT = ("post_session", "delete_session", "post_keys_revoke")  #: slow on purpose, needs a cookie, ends the key
_STEPS = 30


class Enough(BaseException):
    """All calls have been made: no finding, so Hypothesis must not take it for one."""


def walk(url: str, calls: int, seed: int, key: str, foreign: str) -> Tally:
    """That many calls with this key; `foreign` is the word that no answer may have."""
    import hypothesis
    import schemathesis
    from hypothesis import HealthCheck, Phase, settings

    from dealer_api.openapi import document
    from dealer_api.routes import API

    described = document(API)
    for operations in described["paths"].values():
        for method in [method for method, one in operations.items() if one.get("operationId") in _LEFT_OUT]:
            del operations[method]
    described["paths"] = {path: operations for path, operations in described["paths"].items() if operations}
    schema = schemathesis.openapi.from_dict(described)
    schema.config.update(base_url=url)
    tally = Tally()

    class Machine(schema.as_state_machine()):  # type: ignore[misc]
        """Each answer is heard by our own tally instead of theirs, so that one finding does not end the walk."""

        def get_call_kwargs(self, case: Any) -> dict[str, Any]:
            return {"headers": {"Authorization": f"Bearer {key}"}, "timeout": 30}

        def validate_response(self, response: Any, case: Any, *given: Any, **named: Any) -> None:
            answer = Answer(
                response.status_code,
                response.content,
                response.headers.get("content-type", [""])[0].partition(";")[0],
                {name: ", ".join(values) for name, values in response.headers.items()},
            )
            tally.hear(
                f"{case.method} {case.formatted_path[:100]} {str(case.body)[:160]}",
                answer,
                foreign,
                f"{case.method} {case.path}",
            )
            if tally.calls >= calls:
                raise Enough

    for rounds in range(calls):
        machine = hypothesis.seed(seed * 1_000 + rounds)(Machine)
        try:
            machine.run(
                settings=settings(
                    max_examples=max(1, calls // _STEPS),
                    stateful_step_count=_STEPS,
                    deadline=None,
                    database=None,
                    phases=[Phase.generate],
                    suppress_health_check=list(HealthCheck),
                )
            )
        except Enough:
            break
        except (
            hypothesis.errors.HypothesisException
        ):  # the world is not the same the second time: that is what stateful means
            continue
    return tally


if __name__ == "__main__":
    url, calls, seed, key, foreign = sys.argv[1:]
    found = walk(
        url, int(calls), seed=int(seed), key=sys.stdin.readline().strip() if key == "-" else key, foreign=foreign
    )
    print(
        json.dumps(
            {
                "calls": found.calls,
                "statuses": found.statuses,
                "doors": sorted(found.doors),
                "server_errors": found.server_errors,
                "foreign_reads": found.foreign_reads,
                "unnamed": found.unnamed,
            }
        )
    )
