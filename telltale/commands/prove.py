"""`telltale prove …`: fault experiments with a history and a checker."""

from __future__ import annotations

import importlib
from typing import Annotated, Any

import typer

from telltale import cli

app = typer.Typer(add_completion=False, no_args_is_help=True)
Trials = Annotated[int, typer.Option(help="How many faults are injected.")]
Seed = Annotated[int, typer.Option(help="The same seed makes the same faults at the same points.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Record = Annotated[
    bool, typer.Option("--record", help="Write the result down in proofs/results.json and docs/reference/promises.md.")
]


def _switches(words: str) -> Any:
    return typer.Option(metavar="SWITCH", help=f"Break one guard on purpose; the proof must then turn red: {words}.")


@app.callback()
def prove() -> None:
    """Fault experiments: kill, cut, delay and repeat; then compare what is stored with what really happened.

    Exit status 0 if and only if nothing was violated.
    """


@app.command()
def intake(
    trials: Trials = 20,
    seed: Seed = 1,
    sabotage: Annotated[
        str | None, _switches("ack-before-commit, no-dedupe, no-units, no-epoch, no-application-ack")
    ] = None,
    as_json: Json = False,
    record: Record = False,
) -> None:
    """Nothing that was acknowledged is lost, nothing is stored twice, and the alerts are those of the sorted stream."""
    _run("intake", as_json, record, trials=trials, seed=seed, sabotage=sabotage)


@app.command()
def shares(
    trials: Annotated[int, typer.Option(help="How many rounds from two gateways to four and back.")] = 2,
    seed: Seed = 1,
    sabotage: Annotated[str | None, _switches("no-lease")] = None,
    as_json: Json = False,
    record: Record = False,
) -> None:
    """From two gateways to four and back under load, gateways killed on the way: nothing lost, nothing twice, each car
    in its order.
    """
    _run("shares", as_json, record, trials=trials, seed=seed, sabotage=sabotage)


@app.command()
def backlog(
    messages: Annotated[
        int, typer.Option(help="How many messages wait for the gateway, over all 16 buckets.")
    ] = 1_000_000,
    broker: Annotated[
        str,
        typer.Option(
            metavar="mosquitto|embedded", help="Whose: mosquitto with the limits of `telltale broker-config`, or ours."
        ),
    ] = "embedded",
    seed: Seed = 1,
    sabotage: Annotated[str | None, _switches("stop-reading, ack-on-arrival")] = None,
    as_json: Json = False,
    record: Record = False,
) -> None:
    """A gateway that was away comes back at once, stores what waited once, within bounded memory, and is called alive
    meanwhile.
    """
    _run("backlog", as_json, record, messages=messages, broker=broker, seed=seed, sabotage=sabotage)


@app.command()
def imports(
    rows: Annotated[int, typer.Option(help="How many lines of history.")] = 200_000,
    trials: Annotated[int, typer.Option(help="How often it is killed on the way.")] = 4,
    seed: Seed = 1,
    sabotage: Annotated[str | None, _switches("no-cursor")] = None,
    as_json: Json = False,
    record: Record = False,
) -> None:
    """History from a file, killed on the way: each line is a row once, alerts are those of an undisturbed fold, and
    nothing that has passed is told.
    """
    _run("imports", as_json, record, rows=rows, trials=trials, seed=seed, sabotage=sabotage)


@app.command()
def booking(
    trials: Annotated[int, typer.Option(help="How many races.")] = 20,
    rivals: Annotated[int, typer.Option(min=8, help="How many meet in each; some thousand a second.")] = 16,
    seed: Seed = 1,
    sabotage: Annotated[str | None, _switches("no-lock, no-constraint, check-then-insert")] = None,
    as_json: Json = False,
    record: Record = False,
) -> None:
    """Nobody's time is given away twice, and rivals are answered without deadlock."""
    _run("booking", as_json, record, trials=trials, rivals=rivals, seed=seed, sabotage=sabotage)


@app.command()
def replies(
    sabotage: Annotated[str | None, _switches("words-only, verbs-anywhere")] = None,
    as_json: Json = False,
    record: Record = False,
) -> None:
    """A wish for no more texts is heard in four languages, and nothing else is taken for one; each miss is named."""
    _run("replies", as_json, record, sabotage=sabotage)


@app.command()
def stops(
    trials: Trials = 100,
    imports: Annotated[int, typer.Option(help="How often a list is imported again after a STOP.")] = 1_000,
    seed: Seed = 1,
    sabotage: Annotated[str | None, _switches("no-memory, one-row, not-heeded, erased-forgets")] = None,
    as_json: Json = False,
    record: Record = False,
) -> None:
    """STOP belongs to a number and a dealer: no import, correction or erasure brings a text to it before START."""
    _run("stops", as_json, record, trials=trials, imports=imports, seed=seed, sabotage=sabotage)


@app.command()
def month(
    trials: Annotated[
        int, typer.Option(help="How many months, each with a seed of its own; some five minutes each.")
    ] = 1,
    seed: Seed = 1,
    days: Annotated[
        int,
        typer.Option(
            min=1, max=31, help="From the 8th of March 2027 on: in whole months clocks change, and Easter is kept."
        ),
    ] = 31,
    sabotage: Annotated[
        str | None,
        _switches(
            "no-truth-check, no-release, silent-lateness, stranger-sale, drive-it-anyway, unwarned, "
            "away-and-driving, no-record, sold-in-words, wrong-forgotten, part-in-silence, "
            "no-limits, technician-away, mail-in-silence, finish-anyway, nobody-comes, place-anytime"
        ),
    ] = None,
    as_json: Json = False,
    record: Record = False,
) -> None:
    """A dealer's month in which everybody does what people do: nothing falls between two tables, nobody is left without
    a word.
    """
    _run("month", as_json, record, trials=trials, seed=seed, days=days, sabotage=sabotage)


@app.command()
def messages(
    trials: Trials = 20,
    seed: Seed = 1,
    sabotage: Annotated[
        str | None, _switches("send-then-mark, mark-then-send, no-consent-recheck, no-truth-check")
    ] = None,
    as_json: Json = False,
    record: Record = False,
) -> None:
    """Every text is sent once, to somebody who wants it, and only while it is true."""
    _run("messages", as_json, record, trials=trials, seed=seed, sabotage=sabotage)


@app.command()
def operations(
    trials: Trials = 20,
    seed: Seed = 1,
    sabotage: Annotated[
        str | None,
        _switches(
            "ack-before-commit, no-dedupe, no-session-keep, no-truth-check, no-consent-recheck, no-lookup, "
            "asynchronous-standby"
        ),
    ] = None,
    backlog: Annotated[
        int, typer.Option(help="Messages of the one large backlog in a run of 100 faults or more; up to a million.")
    ] = 60_000,
    kinds: Annotated[str | None, typer.Option(help="Only these kinds of fault, with commas.")] = None,
    as_json: Json = False,
    record: Record = False,
) -> None:
    """The faults that nights bring, on PostgreSQL, mosquitto and nginx of the distribution: nothing lost, nothing
    twice, no text wrong.

    Databases restarted, failed over, full, slow and out of connections; brokers without their store; wrong clocks;
    certificates and secrets rotated; rolling restarts; workers away for days. Says how long everybody needed to be
    back.
    """
    _run("operations", as_json, record, trials=trials, seed=seed, sabotage=sabotage, backlog=backlog, kinds=kinds)


@app.command()
def fuzz(
    trials: Annotated[int, typer.Option(help="How many payloads.")] = 50_000,
    seed: Seed = 1,
    sabotage: Annotated[str | None, _switches("no-size-limit, trusting-decoder")] = None,
    as_json: Json = False,
    record: Record = False,
) -> None:
    """Whatever a car may send is answered: nothing uncaught, nothing that takes more than 5 ms of CPU."""
    _run("fuzz", as_json, record, trials=trials, seed=seed, sabotage=sabotage)


@app.command()
def doors(
    calls: Annotated[int, typer.Option(help="How many calls; some 200 a second.")] = 20_000,
    seed: Seed = 1,
    sabotage: Annotated[str | None, _switches("other-dealer, every-role, bug-for-refusal")] = None,
    as_json: Json = False,
    record: Record = False,
) -> None:
    """Two dealers' people and keys at every door, with whole requests, odd ones and each other's numbers: none is our
    bug, nobody reads the other's.
    """
    _run("doors", as_json, record, calls=calls, seed=seed, sabotage=sabotage)


@app.command()
def sudden(
    events: Annotated[int, typer.Option(help="How many sudden events, and as many sensors that break.")] = 1_000,
    days: Annotated[
        int, typer.Option(help="How many vehicle-days in which nothing happens; some 100 a second and core.")
    ] = 10_000,
    jobs: Annotated[int, typer.Option(help="Processes to share the work.")] = 1,
    seed: Seed = 1,
    sabotage: Annotated[str | None, _switches("one-sample, with-hold, no-gates")] = None,
    as_json: Json = False,
    record: Record = False,
) -> None:
    """What turns dangerous within seconds is told within ten; a healthy car, and a sensor that breaks, never are."""
    _run("sudden", as_json, record, events=events, days=days, jobs=jobs, seed=seed, sabotage=sabotage)


@app.command()
def guards(
    sabotage: Annotated[
        str | None,
        _switches(
            "any-topic, open-list, gateway-says-all, hours-that-are-not, no-row-security, looking-books, one-clock, "
            "loud-logs"
        ),
    ] = None,
    as_json: Json = False,
    record: Record = False,
) -> None:
    """Who may do what: the tests that ask for it at the door, as they are; with a switch without the guard.

    Needs a checkout.
    """
    _run("guards", as_json, record, sabotage=sabotage)


def _run(part: str, as_json: bool, record: bool, **options: Any) -> None:
    settings = cli.start("prove")
    facts = cli.run(importlib.import_module(f"proofs.{part}").main(settings, **options))
    cli.answer(facts, as_json)
    if record:
        importlib.import_module("proofs.results").record(part, options, facts)
        importlib.import_module("proofs.promises").write()
    raise typer.Exit(0 if facts["violations"] == 0 else 1)
