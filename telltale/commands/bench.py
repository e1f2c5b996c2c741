"""`telltale bench …`: measure one part against its ceiling or its peers."""

from __future__ import annotations

import importlib
from typing import Annotated, Any

import typer

from telltale import cli

app = typer.Typer(add_completion=False, no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@app.callback()
def bench() -> None:
    """Measure: throughput, latency and memory, always beside a ceiling or a peer in the same run."""


@app.command()
def intake(
    seconds: Annotated[float, typer.Option(help="Length of each measured run.")] = 10.0,
    cars: Annotated[int, typer.Option(help="Car connections through the broker.")] = 200,
    repeats: Annotated[int, typer.Option(help="Runs of which the median is taken.")] = 3,
    vehicles: Annotated[int, typer.Option(help="Distinct vehicles in the load.")] = 1000,
    embedded: Annotated[
        bool, typer.Option("--embedded", help="On the embedded broker, even where mosquitto is installed.")
    ] = False,
    as_json: Json = False,
) -> None:
    """The gateway: alone against the COPY floor, and the whole pipeline against the broker's ceiling and a naive
    consumer.
    """
    _run("intake", as_json, seconds=seconds, cars=cars, repeats=repeats, vehicles=vehicles, embedded=embedded)


@app.command()
def counterless(
    messages: Annotated[int, typer.Option(help="Messages of each measured run.")] = 40_000,
    repeats: Annotated[int, typer.Option(help="Runs of which the median is taken.")] = 3,
    vehicles: Annotated[int, typer.Option(help="Distinct devices in the load.")] = 200,
    as_json: Json = False,
) -> None:
    """Devices without boot and seq, as most feeds of third parties are: with three days of readings beside each other
    and with 400.
    """
    _run("counterless", as_json, messages=messages, repeats=repeats, vehicles=vehicles)


@app.command()
def rules(
    vehicles: Annotated[int, typer.Option(help="Tracked vehicles for the memory figure.")] = 10_000,
    as_json: Json = False,
) -> None:
    """The rules engine: nanoseconds per reading and rule against three other engines, and bytes per tracked vehicle."""
    _run("rules", as_json, vehicles=vehicles)


@app.command()
def booking(
    rivals: Annotated[int, typer.Option(help="Customers who want the same windows at once.")] = 500,
    as_json: Json = False,
) -> None:
    """Booking under rivalry: seconds until all are answered, deadlocks."""
    _run("booking", as_json, rivals=rivals)


@app.command()
def drives(
    legs: Annotated[int, typer.Option(min=2, help="Collections and returns of one day.")] = 40,
    as_json: Json = False,
) -> None:
    """A day's drives: seconds until they are planned, and how much shorter the way is than by insertion."""
    _run("drives", as_json, legs=legs)


@app.command()
def api(
    seconds: Annotated[float, typer.Option(help="Length of each measured run.")] = 5.0,
    as_json: Json = False,
) -> None:
    """The API: requests per second against bare aiohttp."""
    _run("api", as_json, seconds=seconds)


@app.command()
def desk(
    seconds: Annotated[float, typer.Option(help="Length of each measured run.")] = 3.0,
    as_json: Json = False,
) -> None:
    """Pages of the desk with 10,000 open cases and 200,000 cars: milliseconds, and the ratio to the same bytes bare."""
    _run("desk", as_json, seconds=seconds)


def _run(part: str, as_json: bool, **options: Any) -> None:
    settings = cli.start("bench")
    cli.answer(cli.run(importlib.import_module(f"proofs.bench.{part}").main(settings, **options)), as_json)
