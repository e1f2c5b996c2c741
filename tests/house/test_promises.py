"""The page of promises names what there is: every proof, every switch, tests that exist, and results that held."""

from __future__ import annotations

from pathlib import Path

import pytest

from proofs import results
from proofs.promises import PAGE, PROMISES, PROOFS, page, switches
from telltale.commands import prove

TESTS = Path(__file__).resolve().parents[1]
COMMANDS = {
    command.callback.__name__: command.callback for command in prove.app.registered_commands if command.callback
}
NAMED = [switch for promise in PROMISES for switch in promise.switches]


def test_the_page_of_promises_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m proofs.promises"


def test_there_are_twenty_and_each_has_a_test() -> None:
    assert len(PROMISES) == 20 and all(promise.tests for promise in PROMISES)


def test_every_proof_is_on_the_page() -> None:
    assert set(COMMANDS) == set(PROOFS) == {command.split()[0] for promise in PROMISES for command in promise.commands}


def test_every_switch_that_is_named_exists_and_every_one_that_exists_is_named() -> None:
    assert {*NAMED} == {f"{proof} {switch}" for proof in PROOFS for switch in switches(proof)}


@pytest.mark.parametrize("proof", PROOFS)
def test_the_command_names_every_switch(proof: str) -> None:
    outcome = " ".join(str(option) for option in COMMANDS[proof].__annotations__.values())
    assert [switch for switch in switches(proof) if switch not in outcome] == []


@pytest.mark.parametrize("test", sorted({test for promise in PROMISES for test in promise.tests}))
def test_every_test_that_is_named_exists(test: str) -> None:
    file, _, name = test.partition("::")
    assert f"def {name}(" in (TESTS / file).read_text(encoding="utf-8") if name else (TESTS / file).exists()


def test_what_was_recorded_last_held() -> None:
    assert [
        f"{command}: {result}"
        for command, result in results.read().items()
        if "--sabotage" not in command and result.violations
    ] == []


def test_every_switch_was_red_when_it_was_last_tried() -> None:
    assert [
        f"{command}: {result}"
        for command, result in results.read().items()
        if "--sabotage" in command and not result.violations
    ] == []


def test_a_result_takes_the_place_of_the_last_one_of_the_same_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(results, "FILE", tmp_path / "results.json")
    results.record(
        "backlog",
        {"messages": 1_000_000, "broker": "mosquitto", "sabotage": None, "seed": 1},
        {"stored": 999, "violations": 1},
    )
    results.record(
        "backlog",
        {"messages": 2_000, "broker": "mosquitto", "sabotage": None, "seed": 1},
        {"stored": 2_000, "violations": 0},
    )
    results.record("fuzz", {"trials": 50, "sabotage": "trusting-decoder"}, {"checked": 50, "violations": 7})
    assert {command: str(one).partition(": ")[2] for command, one in results.read().items()} == {
        "backlog --broker mosquitto": "2,000 messages, 2,000 checked, 0 violations",
        "fuzz --sabotage trusting-decoder": "50 trials, 50 checked, 7 violations",
    }
