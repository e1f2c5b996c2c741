"""The evidence pack of a case: what a program needs to judge its alerts again, and its hash in the history."""

from __future__ import annotations

from actions.context import Acting
from rules.catalogue import BY_NAME
from schemas.errors import BadInput
from schemas.keeping import WHERE
from schemas.pack import FORM, Pack, PackedAlert, packed_row, sealed
from schemas.reading import Mark
from schemas.signal import BY_PATH
from store import alerts, cases, fleet, history, replays, stages
from store.pool import Connection

MOST_ROWS = 60_000  #: of one file: two months of a car that sends each minute
SWEPT = frozenset({"silent_vehicle", "recall"})  #: judged by time and facts, not by readings
_HIDDEN = frozenset(BY_PATH[path].id for path in WHERE)


async def pack(acting: Acting, case_id: int) -> tuple[Pack, str, str]:
    """The pack, the part that goes into its page, and its SHA-256, which is history from now on."""
    async with acting.transaction() as connection:
        case = await cases.get(connection, acting.dealer_id, case_id)
        car = await fleet.get(connection, acting.dealer_id, case.vehicle_id)
        found = [one for one in await alerts.of_case(connection, acting.dealer_id, case_id) if not one.shadow]
        if not found:
            raise BadInput("case", "rests on no alert: there is nothing of the car to hand over")
        packed, upto = [], 0
        for alert in sorted(found, key=lambda one: one.id):
            _, steps = await replays.alert(connection, alert.id)
            upto = max([upto, *(step["place"] for step in steps)])
            packed.append(
                PackedAlert(
                    alert=alert.id,
                    rule=alert.rule,
                    component=alert.component,
                    episode=alert.episode,
                    rule_version=alert.rule_version,
                    swept=alert.rule in SWEPT or alert.rule not in BY_NAME,
                    steps=[{**step, "ts": step["ts"].isoformat()} for step in steps],
                )
            )
        rows, back, missing = await _rows(connection, car.id, upto)
        made = Pack(
            form=FORM,
            made_at=acting.now().isoformat(timespec="seconds"),
            case=case_id,
            vin=car.vin,
            profile=car.profile,
            stages={name: one.stage for name, one in (await stages.stages(connection)).items()},
            alerts=packed,
            rows=rows,
            taken_back=back,
            missing=missing,
        )
        part, digest = sealed(made)
        await history.write(
            connection,
            acting.dealer_id,
            "case",
            case_id,
            old=case.state.value,
            new="evidence handed out",
            reason=f"SHA-256 {digest}",
            actor=acting.actor,
            now=acting.now(),
        )
        return made, part, digest


async def _rows(
    connection: Connection, vehicle_id: int, upto: int
) -> tuple[list[list[object]], dict[int, list[int]], str]:
    """The car's readings up to that place, what was taken back, and why they are not whole."""
    oldest = await replays.oldest_place(connection, vehicle_id)
    if upto and oldest is None:
        return [], {}, "none of the car's messages are kept any more"
    missing = ""
    first = 0
    if upto > MOST_ROWS:
        first = upto - MOST_ROWS
        missing = (
            f"the car's first {first} messages are too many for a file; telltale explain judges them where they are"
        )
    elif oldest is not None and oldest > 1 and upto:
        missing = f"the car's first {oldest - 1} messages are not kept any more"
    rows, back, after = list[list[object]](), dict[int, list[int]](), first
    while upto and (found := await replays.page(connection, vehicle_id, after, upto)):
        for row in found:
            if row.mark and row.mark & Mark.TAKES_BACK:
                back[row.place or 0] = sorted(await replays.taken_back(connection, vehicle_id, row.place or 0))
            rows.append(packed_row(row, _HIDDEN))
        after = found[-1].place or 0
    return rows, back, missing
