"""The command line: a register of commands, each imported only when it is asked for."""

from __future__ import annotations

import asyncio
import importlib
import json
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from telltale import logs, running_demo
from telltale.settings import Settings

Result = TypeVar("Result")

# name -> (module in telltale/commands, its one line in the overview)
COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("demo", "Everything on this machine, with simulated cars in time-lapse (the default)."),
    "story": ("story", "The whole story, played once and watched from outside."),
    "play": ("play", "Play a recorded CAN log through the telematics unit to a running gateway."),
    "gateway": ("gateway", "The ear: MQTT in, judged readings out."),
    "workers": ("workers", "The hands: cases, texts, reminders, proofs of repair."),
    "dealer-api": ("dealer_api", "The desk: pages for dealer, driver and owner, and the REST API."),
    "simulator": ("simulator", "The stand-in cars."),
    "broker": ("broker", "The embedded MQTT broker as a service of its own."),
    "check": ("check", "Is this house fit for its first day: one line each, with what to do."),
    "broker-config": ("broker_config", "A mosquitto of one's own, closed: its files from the enrolled cars."),
    "certificates": ("certificates", "TLS for a broker of one's own: make, client."),
    "migrate": ("migrate", "Bring a database to this version."),
    "backup": ("backup", "Back a database up while it runs."),
    "restore": ("restore", "Bring a backup onto an empty server."),
    "dealer": ("dealer", "Dealers: create, sender."),
    "staff": ("staff", "A dealer's people: invite, list, give another role, let go, take back."),
    "vehicle": ("vehicle", "Cars: enrol, revoke."),
    "feed": ("feed", "Cars that already speak otherwise: add a feed, list, off, map its cars."),
    "owners": ("owners", "Owners, their cars and their consent: import from CSV."),
    "import-readings": ("import_readings", "History of a fleet from a CSV or Parquet file, judged and stored."),
    "hear-mail": ("hear_mail", "One mail from standard input to the desk's door: the end of a mail server's pipe."),
    "key": ("key", "API keys: create, list, revoke."),
    "erasures": (
        "erasures",
        "People who were erased: list them, and erase them again after an older backup was restored.",
    ),
    "audit": ("audit", "The sealed history of what people and programs did: verify, resume."),
    "retention": ("retention", "Days of readings: kept, detached, brought back."),
    "bench": ("bench", "Measure: intake, counterless, rules, booking, api, desk."),
    "prove": (
        "prove",
        "Fault experiments with a history and a checker: intake, shares, backlog, imports, booking, messages, "
        "operations, fuzz, doors, sudden, guards.",
    ),
    "score": ("score", "Detection against a simulated fleet's ground truth."),
    "backtest": ("backtest", "Try rules on stored readings."),
    "explain": ("explain", "Fold the stored readings again and say why an alert was raised."),
    "replay": ("replay", "Judge an evidence pack again, without a database."),
    "rule": ("rule", "Stages of a rule: shadow, live, off, with the reason."),
    "sbom": ("sbom", "A bill of materials: what others made and runs here, as CycloneDX."),
    "screenshots": ("screenshots", "Pictures of a running desk for README and docs."),
}


class Register(TyperGroup):
    """Shows every command, imports one."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # typer keeps its own copy of click and names no public type
        if cmd_name not in COMMANDS:
            return None
        if ctx.resilient_parsing or _overview():
            return TyperCommand(cmd_name, help=COMMANDS[cmd_name][1])
        module = importlib.import_module(f"telltale.commands.{COMMANDS[cmd_name][0]}")
        command = get_command(module.app)
        command.name = cmd_name
        return command


app = typer.Typer(cls=Register, no_args_is_help=False, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def telltale() -> None:
    """Telltale: the connected car identifies a maintenance issue and alerts the dealer."""


def _overview() -> bool:
    return sys.argv[1:2] in (["--help"], ["-h"], ["help"])


def start(service: str, *, join: bool = False, **given: Any) -> Settings:
    """The first line of every command: settings from the environment and the arguments, then logs.

    With `join` it works on the running demo of this home when no database and no broker are named.
    """
    settings = Settings.read(**given)
    logs.set_up(settings.log_level, settings.log_format, service)
    return running_demo.joined(settings) if join else settings


def say(line: str) -> None:
    """To people: standard error, so that standard output stays the command's answer."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def progress(unit: str) -> Callable[[int], None]:
    """Counts on one line of a terminal; says nothing on a pipe."""
    if not sys.stderr.isatty():
        return lambda done: None

    def show(done: int) -> None:
        sys.stderr.write(f"\r{done:,} {unit} ")
        sys.stderr.flush()

    return show


def answer(facts: dict[str, Any], as_json: bool, lines: list[str] | None = None) -> None:
    """The command's answer: one JSON object, or lines for people (`name: value` when none are given)."""
    text = (
        json.dumps(facts, default=str)
        if as_json
        else "\n".join(lines or [f"{name}: {value}" for name, value in facts.items()])
    )
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Run to the end; SIGTERM and Ctrl-C cancel it, and what it then tidies up still happens."""

    async def guarded() -> Result:
        task = asyncio.ensure_future(main)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, task.cancel)
        try:
            return await task
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None

    return asyncio.run(guarded())
