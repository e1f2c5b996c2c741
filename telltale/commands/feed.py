"""`telltale feed add|list|off|map`: cars that already speak, in words that are not ours."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from telltale import cli

if TYPE_CHECKING:
    from store.feeds import Source
    from telltale.command_context import Office

    Work = Callable[[Office], Awaitable[dict[str, object]]]

app = typer.Typer(add_completion=False, no_args_is_help=True)
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]
Dealer = Annotated[int | None, typer.Option(help="Id of the dealer; needed when there are several.")]
Id = Annotated[int, typer.Argument(metavar="FEED", help="Its number, as `feed list` shows it.")]


@app.callback()
def feed() -> None:
    """Feeds."""


@app.command()
def add(
    kind: Annotated[str, typer.Argument(help="Which kind, as docs/reference/feeds.md lists them.")],
    root: Annotated[str | None, typer.Option(help="Where its topics begin, if not where they usually do.")] = None,
    secret_file: Annotated[
        Path | None, typer.Option(help="File with the secret that its sender signs with; - is standard input.")
    ] = None,
    dealer: Dealer = None,
    as_json: Json = False,
) -> None:
    """Switch a feed on; it is heard from now on, without a restart. A key is told once."""
    from gateway.feeds.register import FEEDS
    from schemas.errors import BadInput

    if kind not in FEEDS:
        raise BadInput("kind", f"{kind} is no feed we know: {', '.join(FEEDS)}")
    if FEEDS[kind].filters:
        _answer(_by_mqtt(kind, (root or FEEDS[kind].root).strip("/"), dealer), as_json)
    elif (FEEDS[kind].doubt is None) is not (secret_file is None):
        raise BadInput("--secret-file", f"{kind} {'is not signed' if secret_file else 'is signed: say with what'}")
    else:
        _answer(_by_https(kind, _secret(secret_file), dealer), as_json)


def _by_mqtt(kind: str, root: str, dealer: int | None) -> Work:
    from gateway.feeds.register import FEEDS
    from schemas.errors import BadInput
    from store import feeds

    if not root or set(root) & set("+#$\0") or root.split("/")[0] == "vehicles":
        raise BadInput("--root", f"{root} cannot be where a feed's topics begin")

    async def make(work: Office) -> dict[str, object]:
        at = await work.dealer(dealer)
        if (other := await feeds.with_root(work.connection, root)) is not None:
            raise BadInput("--root", f"the topics below {root} are those of feed {other} already")
        made = await feeds.add(work.connection, at.id, kind, root=root, key_hash=None, now=work.now)
        return {"feed": made, "kind": kind, "root": root, "topics": [f"{root}/{one}" for one in FEEDS[kind].filters]}

    return make


def _by_https(kind: str, secret: bytes | None, dealer: int | None) -> Work:
    from store import feed_secrets, feeds

    async def make(work: Office) -> dict[str, object]:
        at, key = await work.dealer(dealer), "tf_" + secrets.token_urlsafe(32)
        made = await feeds.add(
            work.connection,
            at.id,
            kind,
            root=None,
            key_hash=feed_secrets.digest(key),
            signing=feed_secrets.seal(secret, work.settings.key) if secret is not None else None,
            now=work.now,
        )
        told = {"signed": True} if secret is not None else {"header": f"Authorization: Bearer {key}"}
        return {"feed": made, "kind": kind, "post": f"/feeds/{made}", **told}

    return make


def _secret(path: Path | None) -> bytes | None:
    from schemas.errors import BadInput

    if path is None:
        return None
    try:
        found = (sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()).strip()
    except OSError as error:
        raise BadInput("--secret-file", f"{path} cannot be read: {error.strerror}") from None
    if not found:
        raise BadInput("--secret-file", f"{path} is empty")
    return found


@app.command("list")
def list_(dealer: Dealer = None, as_json: Json = False) -> None:
    """A dealer's feeds, and which of their cars is which of ours."""
    from store import feeds

    async def tell(work: Office) -> dict[str, object]:
        at = await work.dealer(dealer)
        mapped = await feeds.mapped(work.connection, at.id)
        return {
            "feeds": [
                {
                    "feed": one.id,
                    "kind": one.kind,
                    **({"root": one.root} if one.root else {}),
                    "cars": {
                        identity: {"vin": vin, **({"units": units} if units else {})}
                        for feed_id, identity, vin, units, _ in mapped
                        if feed_id == one.id
                    },
                }
                for one in await feeds.switched_on(work.connection, at.id)
            ]
        }

    _answer(tell, as_json)


@app.command()
def off(number: Id, dealer: Dealer = None, as_json: Json = False) -> None:
    """Listen to a feed no longer; which of its cars is which is kept."""
    from store import feeds

    async def end(work: Office) -> dict[str, object]:
        await feeds.switch_off(work.connection, (await work.dealer(dealer)).id, number, work.now)
        return {"feed": number, "off": True}

    _answer(end, as_json)


@app.command("map")
def map_(
    number: Id,
    identity: Annotated[str, typer.Argument(help="What the feed calls the car; quarantine shows it.")],
    vin: Annotated[str | None, typer.Argument(metavar="VIN", help="Which car of ours it is.")] = None,
    unit: Annotated[
        list[str] | None,
        typer.Option(help="How this car says a kind of value where that is not the feed's usual way: pressure=psi."),
    ] = None,
    remove: Annotated[bool, typer.Option(help="It is nobody's again.")] = False,
    dealer: Dealer = None,
    as_json: Json = False,
) -> None:
    """Say which car of ours one of a feed is (`feed list` shows them, --remove takes it back)."""
    from schemas.errors import BadInput
    from store import feeds

    units = units_of(unit or [])
    if (vin is None) is not remove:
        raise BadInput("VIN", "say either which car it is, or --remove")

    async def do(work: Office) -> dict[str, object]:
        source = await _source(work, dealer, number)
        if vin is None:
            await feeds.unmap(work.connection, source, identity)
            return {"feed": number, "identity": identity, "removed": True}
        if not await feeds.map_car(work.connection, source, identity, vin.strip().upper(), units=units, now=work.now):
            raise BadInput("VIN", f"{vin} is no car that the dealer of feed {number} looks after: enrol or import it")
        return {"feed": number, "identity": identity, "vin": vin.strip().upper(), "units": units}

    _answer(do, as_json)


def units_of(written: list[str]) -> dict[str, str]:
    """`pressure=psi` as kind -> unit; BadInput names what is none."""
    from schemas.errors import BadInput
    from schemas.unit import unit

    found = {}
    for one in written:
        kind, _, name = one.partition("=")
        known = unit(name)
        if known is None or known.kind != kind.strip():
            raise BadInput("--unit", f"{one!r} is not a kind and one of its units, as pressure=psi or length=mi")
        found[known.kind] = name.strip()
    return found


async def _source(work: Office, dealer: int | None, number: int) -> Source:
    from schemas.errors import NotFound
    from store import feeds

    at = await work.dealer(dealer)
    for one in await feeds.switched_on(work.connection, at.id):
        if one.id == number:
            return one
    raise NotFound("feed")


def _answer(work: Work, as_json: bool) -> None:
    from telltale import command_context

    cli.answer(cli.run(command_context.at(cli.start("feed", join=True), work)), as_json)
