"""Registers are written out; a file that is not in its register is an accident."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from enum import Enum
from pathlib import Path
from typing import Any

import pytest

import schemas
from schemas.lifecycle import Lifecycle
from telltale import data
from telltale.cli import COMMANDS
from telltale.settings_page import PAGE, page

ROOT = Path(__file__).resolve().parents[2]


def _stems(folder: str) -> set[str]:
    return {path.stem for path in (ROOT / folder).glob("*.py") if path.stem != "__init__"}


def test_every_command_file_is_a_command_and_every_command_has_its_file() -> None:
    assert {module for module, _ in COMMANDS.values()} == _stems("telltale/commands")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_loads_and_explains_itself(name: str) -> None:
    module = importlib.import_module(f"telltale.commands.{COMMANDS[name][0]}")
    assert module.app.registered_commands or module.app.registered_groups
    assert COMMANDS[name][1].endswith(".")
    for command in module.app.registered_commands:
        assert command.callback.__doc__


def lifecycles() -> dict[str, Lifecycle[Any, Any]]:
    found = {}
    for info in pkgutil.iter_modules(schemas.__path__):
        for value in vars(importlib.import_module(f"schemas.{info.name}")).values():
            if isinstance(value, Lifecycle):
                found[value.noun] = value
    return found


@pytest.mark.parametrize("table", [*lifecycles().values()], ids=lambda table: table.noun)
def test_every_lifecycle_is_total(table: Lifecycle[Any, Any]) -> None:
    """Every move leads to a state that has its own line, and every state of the table can be reached."""
    states = type(table.start)
    assert issubclass(states, Enum)
    assert set(table.moves) <= set(states)
    reached, front = {table.start}, [table.start]
    while front:
        for target in table.moves[front.pop()].values():
            assert target in table.moves, f"{target} has no line"
            if target not in reached:
                reached.add(target)
                front.append(target)
    assert reached == set(table.moves), f"never reached: {set(table.moves) - reached}"


def test_no_state_is_in_no_table() -> None:
    tables = lifecycles().values()
    for states in {type(table.start) for table in tables}:
        assert {state for table in tables if type(table.start) is states for state in table.moves} == set(states)


@pytest.mark.parametrize("table", [*lifecycles().values()], ids=lambda table: table.noun)
def test_walking_every_state_by_every_event_moves_or_names_what_is_allowed(table: Lifecycle[Any, Any]) -> None:
    from schemas.errors import IllegalMove

    events = {event for moves in table.moves.values() for event in moves}
    for state in table.moves:
        for event in events:
            if event in table.moves[state]:
                assert table.next(state, event) is table.moves[state][event]
            else:
                with pytest.raises(IllegalMove) as caught:
                    table.next(state, event)
                assert caught.value.allowed == tuple(e.value for e in table.allowed(state))


def test_every_vehicle_model_can_be_read() -> None:
    assert set(data.profiles()) == {path.stem for path in data.PROFILES.glob("*.toml")}
    assert {"petrol", "diesel"} <= {profile.drive for profile in data.profiles().values()}


def test_the_page_of_settings_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "write it again: python -m telltale.settings_page"


@pytest.mark.parametrize("group", ["bench", "prove"])
def test_every_bench_and_every_proof_takes_what_its_command_offers(group: str) -> None:
    for command in importlib.import_module(f"telltale.commands.{group}").app.registered_commands:
        part = command.callback.__name__
        module = importlib.import_module(f"proofs.bench.{part}" if group == "bench" else f"proofs.{part}")
        offered = set(inspect.signature(command.callback).parameters) - {"as_json", "record"}
        assert set(inspect.signature(module.main).parameters) == offered | {"settings"}, part
