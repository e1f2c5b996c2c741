"""`telltale hear-mail`: the end of a mail server's pipe."""

from __future__ import annotations

import sys

import typer

from telltale import cli

app = typer.Typer(add_completion=False)
LARGEST = 40 * 1024 * 1024
TRY_AGAIN, NOT_TAKEN = 75, 69  #: sysexits.h: EX_TEMPFAIL, EX_UNAVAILABLE


@app.command()
def hear_mail() -> None:
    """Bring one mail from standard input to the desk's door /inbound/mail, signed with TELLTALE_MAIL_SECRET.

    For a mail server's pipe (Postfix, Exim), or the delivery command of fetchmail or getmail where mail waits in an
    IMAP mailbox. Only heads and words go along, no attachments. Exit status 0: heard, or nothing for us; 75: the door
    cannot be reached, come again; 69: refused, for the secrets or the clocks differ.
    """
    from telltale.bringing_mail import bring

    settings = cli.start("hear-mail", join=True)
    status = cli.run(bring(settings, sys.stdin.buffer.read(LARGEST)))
    if status is None or status >= 500 or status == 429:
        cli.say(f"not heard: {'the door cannot be reached' if status is None else f'it answers {status}'}")
        raise typer.Exit(TRY_AGAIN)
    if status >= 400:
        cli.say(f"not heard: the door answers {status}; is TELLTALE_MAIL_SECRET the same there, and the clock right?")
        raise typer.Exit(NOT_TAKEN)
