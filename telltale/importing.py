"""An owners' list from a file; the desk's own import does the work, so that both doors mean the same."""

from __future__ import annotations

from pathlib import Path

from actions.owner_lists import Rows, lines_of
from actions.owners import Imported, take_in
from schemas.account import Dealer
from schemas.errors import BadInput
from telltale.command_context import Office


class DryRun(Exception):
    """Leaves the transaction, so that nothing stays."""

    def __init__(self, report: Imported) -> None:
        self.report = report


def read_table(path: Path) -> Rows:
    """The lines with their numbers; the header is checked here."""
    try:
        return lines_of(path.read_text(encoding="utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BadInput(path.name, f"is not UTF-8 (byte {error.start})") from None


async def take(work: Office, dealer: Dealer, table: Rows) -> Imported:
    """Everything that can be taken is; the report says the rest, by line and cell."""
    report = Imported(dry_run=False, lines=len(table))
    await take_in(work.house.acting(dealer.id, "system"), work.connection, dealer=dealer, rows=table, report=report)
    return report
