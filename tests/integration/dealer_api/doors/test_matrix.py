"""Role × route × tenant × scope, walked: whoever the register lets in gets their own, and nobody gets another
dealer's.
"""

from __future__ import annotations

import pytest

from proofs.doors.breaking import broken
from proofs.doors.matrix import GUARDED, matrix


@pytest.mark.parametrize("way", [1, -1], ids=["B before the doors of both", "C before the doors of both"])
async def test_everybody_gets_what_the_register_says_and_only_their_own(doors, way, record_property):
    ours, theirs = doors.dealers[::way]
    found = await matrix(doors, ours, theirs)
    record_property("shown", f"{ours.canary}: {found.size}")
    assert not found.wrong, found.wrong[:20]
    assert sum(found.cells.values()) > 6_000
    assert len(found.done) > 120, "too few acts were carried out for the rest to mean anything"


@pytest.mark.parametrize(
    ("switch", "says"),
    [
        ("other-dealer", "CanaryC is in the answer"),
        ("every-role", "lets them in nowhere here"),
        ("bug-for-refusal", "our bug"),
    ],
)
async def test_the_matrix_turns_red_when_a_guard_is_taken_out(doors, switch, says):
    ours, theirs = doors.dealers
    few = [route for route in GUARDED if "/vehicles" in route.path]
    with broken(switch, [ours.id, theirs.id]):
        found = await matrix(doors, ours, theirs, few)
    assert any(says in wrong for wrong in found.wrong), found.wrong[:5]
