"""An owners' list into the database: each line a savepoint of its own, so that a bad one takes no other along."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rules.importing import Line, check_header, read_line
from schemas.account import Dealer
from schemas.errors import BadInput
from store import consents, fleet, owners
from telltale import data
from telltale.office import Office


@dataclass
class Report:
    """What became of each line."""

    taken: int = 0
    new_owners: int = 0
    new_cars: int = 0
    refused: list[dict[str, Any]] = field(default_factory=list)

    def facts(self) -> dict[str, object]:
        return {"taken": self.taken, "new_owners": self.new_owners, "new_cars": self.new_cars, "refused": self.refused}


class DryRun(Exception):
    """Leaves the transaction, so that nothing stays."""

    def __init__(self, report: Report) -> None:
        self.report = report


def read_table(path: Path) -> list[tuple[int, dict[str, str | None]]]:
    """The lines with their numbers; the header is checked here."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(path.name, f"is not UTF-8 (byte {error.start})") from None
    first = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if first.count(";") > first.count(",") else ",")
    check_header([name.strip() for name in reader.fieldnames or []])
    reader.fieldnames = [name.strip() for name in reader.fieldnames or []]
    return [(reader.line_num, {k: v for k, v in row.items() if isinstance(k, str)}) for row in reader]


async def take(work: Office, dealer: Dealer, table: list[tuple[int, dict[str, str | None]]]) -> Report:
    """Everything that can be taken is; the report says the rest, by line and cell."""
    report = Report()
    for number, cells in table:
        try:
            line = read_line(
                cells, country=dealer.country, language=dealer.language, zone_name=dealer.zone, languages=data.texts(), profiles=data.profiles(), now=work.now
            )
            async with work.connection.transaction():
                await _take(work, dealer, line, report)
            report.taken += 1
        except BadInput as error:
            report.refused.append({"line": number, "cell": error.field, "reason": error.reason})
    return report


async def _take(work: Office, dealer: Dealer, line: Line, report: Report) -> None:
    connection, now = work.connection, work.now
    address = line.phone or line.email or ""
    owner = await owners.at_address(connection, dealer.id, address)
    if owner is None:
        values = {
            "name": line.name, "phone": line.phone, "email": line.email, "language": line.language, "zone": line.zone, "address": line.address,
            "channel": work.settings.usual_channel if line.phone else "email",
        }  # fmt: skip
        owner = await owners.create(connection, dealer.id, values, now)
        report.new_owners += 1
    car = await fleet.by_vin(connection, dealer.id, line.vin)
    if car is None:
        car = await fleet.add(
            connection, dealer.id, vin=line.vin, profile=line.profile, title=line.title, plate=line.plate, actor="system", now=now
        )
        report.new_cars += 1
    await fleet.give(connection, dealer.id, car.id, owner.id, actor="system", now=now)
    said = await consents.of_owner(connection, dealer.id, owner.id)
    changed = {purpose: given for purpose, given in line.consents.items() if purpose not in said or said[purpose].given != given}
    if owner.stopped_at is not None:  # an older list does not undo a STOP
        changed = {purpose: given for purpose, given in changed.items() if not given}
    if changed:
        await consents.give(
            connection, dealer.id, owner.id, changed, now=line.consent_at or now, source=line.consent_source or "owners' list", wording=line.consent_wording
        )
