"""`telltale screenshots`: pictures of a running desk."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Annotated

import typer

from telltale import cli

app = typer.Typer(add_completion=False)


@app.command()
def screenshots(
    folder: Annotated[Path, typer.Argument(help="Where the pictures go.")] = Path("docs/pictures"),
) -> None:
    """Start a demo in a home of its own, play until there is something to see, and photograph each page at desk and
    phone width.

    Needs the development packages and Chromium (./test installs both).
    """
    settings = cli.start("screenshots")
    cli.run(importlib.import_module("proofs.screenshots").main(settings, folder))
