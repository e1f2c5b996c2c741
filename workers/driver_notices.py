"""A drive that has become somebody's: its driver gets one short text, with the link to their day."""

from __future__ import annotations

from datetime import timedelta

from actions import links, outbox, recipients
from rules.service.permission import Wait
from rules.service.reminders import tell_driver
from schemas.message import Draft, MessageKind, Purpose, asserts
from store import accounts, secrets, sweeps
from store.pool import Connection, transaction
from workers.context import Context

_OPEN_FOR = timedelta(days=1)  #: after the drive should be over; it may be late


async def drives_once(context: Context) -> int:
    """Tell whoever has a new drive, once for each drive and driver; at night only of what is near.

    Returns how many were told.
    """
    if not context.desk_url:
        return 0  # no link would open
    told, now = 0, context.clock()
    async with transaction(context.pool) as connection:
        for drive in await sweeps.untold(connection, now):
            dealer = await accounts.dealer(connection, drive.dealer_id)
            if not isinstance(tell_driver(drive.starts_at, now, dealer.zone), Wait):
                told += await _tell(context, connection, drive, dealer.zone)
    return told


async def _tell(context: Context, connection: Connection, drive: sweeps.Untold, zone: str) -> bool:
    driver, now = await accounts.staff(connection, drive.dealer_id, drive.driver_id), context.clock()
    to = recipients.staff(driver, context.staff_channels)
    if to is None or driver.disabled_at is not None:
        return False
    token = await secrets.make(
        connection,
        drive.dealer_id,
        "driver",
        now=now,
        expires_at=drive.ends_at + _OPEN_FOR,
        staff_id=driver.id,
        subject_id=drive.leg_id,
    )
    draft = Draft(
        dealer_id=drive.dealer_id,
        to=to,
        kind=MessageKind.STAFF_LEG,
        purpose=Purpose.STAFF,
        author="worker",
        case_id=drive.case_id,
        asserts=[asserts("leg", drive.leg_id, "planned", at=drive.starts_at)],
        reference=drive.reference,
    )
    await outbox.queue(
        connection,
        context.wording,
        draft,
        now,
        vehicle=drive.vehicle,
        plate=drive.plate,
        kind=drive.kind,
        address=drive.address,
        starts_at=drive.starts_at,
        ends_at=drive.ends_at,
        zone=zone,
        now=now,
        link=links.secret(context.desk_url, "driver", token),
    )
    return True
