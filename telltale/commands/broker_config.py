"""`telltale broker-config`: a broker of one's own, closed, from the enrolled cars."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False, no_args_is_help=True)


@app.callback()
def broker_config() -> None:
    """Configuration for a broker of one's own."""


@app.command()
def mosquitto(
    out: Annotated[
        Path,
        typer.Option(
            file_okay=False, help="The folder of its files; mosquitto -c OUT/mosquitto.conf then runs as it is."
        ),
    ],
    certificates: Annotated[
        Path,
        typer.Option(
            file_okay=False, help="Folder with server.crt and server.key, as `telltale certificates make` writes it."
        ),
    ],
    port: Annotated[int, typer.Option(help="Port of the cars, on every address, with TLS.")] = 8883,
    gateway_port: Annotated[int, typer.Option(help="Port of the gateways, with TLS.")] = 8884,
    gateway_host: Annotated[str, typer.Option(help="Address on which gateways are heard.")] = "127.0.0.1",
    client_certificates: Annotated[
        bool,
        typer.Option(
            "--client-certificates", help="Let in only who shows a certificate of ca.crt, on top of the password."
        ),
    ] = False,
    account: Annotated[
        str, typer.Option(help="Account that mosquitto runs as; the files are given to it, which needs root.")
    ] = "",
    follow: Annotated[
        bool, typer.Option("--follow", help="Stay, and pass on within seconds who is enrolled and who is revoked.")
    ] = False,
    reload: Annotated[
        str,
        typer.Option(
            metavar="COMMAND", help="How to tell mosquitto; default: SIGHUP to the process in OUT/mosquitto.pid."
        ),
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on standard output.")] = False,
) -> None:
    """Write configuration, passwords and access lists of a mosquitto (2.0 or newer) that lets each enrolled car speak
    for itself alone.

    Gateways sign in at a door of their own, with an account that follows from TELLTALE_SECRET: they need
    MQTT_URL=mqtts://HOST:GATEWAY_PORT, TELLTALE_MQTT_VERSION=5 and, for a private authority, TELLTALE_MQTT_CA.
    A car that is revoked, or enrolled again, is cut off with the reload.
    """
    from gateway.mqtt.mosquitto import Doors
    from store.migrate import role_url
    from telltale import broker_files, wiring
    from telltale.embedded.credentials import broker_account, broker_secrets

    settings = cli.start("broker-config", join=True)
    files = broker_files.MosquittoFiles(
        folder=out,
        certificates=certificates,
        doors=Doors(port, gateway_port, gateway_host, client_certificates),
        gateway_password=broker_secrets(settings.key)["gateway"],
        gateway_account=broker_account(settings.key),
        account=account,
        reload_command=reload,
    )
    url = role_url(settings.database, settings.key, "telltale_gateway", settings.secret_previous.get_secret_value())
    if follow:
        cli.run(wiring.broker_config(settings, files))
    cli.run(broker_files.read(url, files))
    told = files.write() and files.reload()
    facts = {
        "folder": str(out.resolve()),
        "cars": len(files.cars),
        "enrol_again": sorted(files.without_hash),
        "broker_told": told,
    }
    lines = [f"{len(files.cars)} cars may sign in; start it with: mosquitto -c {out.resolve()}/mosquitto.conf"]
    if files.without_hash:
        lines.append(
            f"{len(files.without_hash)} cars were enrolled before such brokers were supported: enrol them again "
            f"({', '.join(sorted(files.without_hash)[:5])} …)"
        )
    cli.answer(facts, as_json, lines)
