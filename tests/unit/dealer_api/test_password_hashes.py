"""What it costs to try a password against a stolen hash."""

from __future__ import annotations

import argon2

from actions import passwords


def test_a_hash_costs_at_least_what_rfc_9106_asks_of_a_machine_with_little_memory() -> None:
    found = argon2.extract_parameters(passwords._HASHER.hash("a good long password"))
    assert found.type is argon2.Type.ID and found.memory_cost >= 64 * 1024 and found.time_cost >= 3
    assert argon2.extract_parameters(passwords._nobody.__wrapped__()) == found, "who is not there takes as long"
