"""`telltale certificates`: TLS for a broker of one's own, without an authority that must be paid or asked."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False, no_args_is_help=True)
Out = Annotated[
    Path, typer.Option(file_okay=False, help="The folder of all of them: ca.crt goes to everybody, ca.key to nobody.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")]


@app.callback()
def certificates() -> None:
    """TLS certificates of a private authority."""


@app.command()
def make(
    out: Out,
    host: Annotated[
        list[str],
        typer.Option(
            metavar="NAME", help="A name or address under which clients reach the broker; may be said several times."
        ),
    ],
    public: Annotated[
        Path | None, typer.Option(file_okay=False, help="Also put ca.crt here, for those who need nothing else.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Make ca.crt and ca.key if they are not there, and server.crt and server.key for these hosts.

    Safe to repeat: a server certificate that is for the same hosts and lasts for two months more is left alone.
    """
    from telltale import certificates as made

    cli.start("certificates")
    out.mkdir(mode=0o755, parents=True, exist_ok=True)
    now = datetime.now(UTC)
    if public is not None:
        public.mkdir(mode=0o755, parents=True, exist_ok=True)
    facts = {
        "folder": str(out),
        "authority_made": made.authority(out, now),
        "server_made": made.server(out, host, now),
        "hosts": host,
    }
    if public is not None:
        shutil.copyfile(out / "ca.crt", public / "ca.crt")
    cli.answer(facts, as_json)


@app.command()
def client(
    name: Annotated[str, typer.Argument(help="A car's VIN, or gateway.")],
    out: Out,
    as_json: Json = False,
) -> None:
    """Make NAME.crt and NAME.key, for a broker that asks its clients for certificates.

    What was there before is replaced, not revoked.
    """
    from telltale import certificates as made

    cli.start("certificates")
    path = made.client(out, name, datetime.now(UTC))
    cli.answer({"name": name, "certificate": f"{path}.crt", "key": f"{path}.key"}, as_json)
