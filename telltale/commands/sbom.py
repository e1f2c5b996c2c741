"""`telltale sbom`: what runs here, for whoever keeps lists of it."""

from __future__ import annotations

import json

import typer

from telltale import bill_of_materials

app = typer.Typer(add_completion=False)


@app.command()
def sbom() -> None:
    """Print a CycloneDX bill of materials (JSON) of everything that runs in a house, from the locks; asks no
    network.
    """
    typer.echo(json.dumps(bill_of_materials.sbom(), indent=1))
