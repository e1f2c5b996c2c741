"""What a file of deploy/ may say: the commands with their options, the settings with their names."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any

from typer.main import get_command

from telltale.cli import COMMANDS
from telltale.settings import PLAIN, PREFIX, Settings


def settings() -> set[str]:
    return {PLAIN.get(name, PREFIX + name.upper()) for name in Settings.model_fields}


def unknown_options(words: Sequence[str]) -> set[str]:
    """Of `telltale <words>`."""
    verb, *arguments = words
    command: Any = get_command(importlib.import_module(f"telltale.commands.{COMMANDS[verb][0]}").app)
    if hasattr(command, "commands"):
        command = command.commands[arguments[0]]
    known = {option for parameter in command.params for option in parameter.opts}
    return {argument for argument in arguments if argument.startswith("--")} - known
