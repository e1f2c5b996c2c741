"""Work that waits in `wakeups`: taken one by one, done in the transaction that deletes it.

What fails is put off, further each time, with its reason in the row; it never stands in the way of the others.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

import structlog

from monitoring import tracing
from rules.service import retry
from schemas.errors import TelltaleError
from store import jobs, tallies
from store.jobs import Wakeup
from store.pool import Connection, is_passing, transaction
from workers import casework, reminding, replying, verifying
from workers.context import Context
from workers.metrics import WORK

log = structlog.get_logger()

#: Does the work of one wakeup; a returned timedelta asks for another look after that much business time.
Handler = Callable[[Context, Connection, Wakeup], Awaitable[timedelta | None]]

#: Which hand takes what.
HANDLERS: Mapping[str, Handler] = {
    "alert": casework.alert_moved,
    "case_unacknowledged": casework.unacknowledged,
    "proof": verifying.prove,
    "feedback": verifying.ask,
    "booking": reminding.plan,
    "offer": reminding.offer_due,
    "reply": replying.tell_staff,
    "unreached": replying.tell_unreached,
    "scored": replying.tell_score,
}
_LOUD = 3  #: from this attempt on the desk sees that something is stuck
_LONGEST = 3600.0


async def one(context: Context, handlers: Mapping[str, Handler] = HANDLERS) -> bool:
    """Do the next due piece of work. False when none is due."""
    async with transaction(context.pool) as connection:
        wakeup = await jobs.take(connection, context.clock(), tuple(handlers))
        if wakeup is None:
            return False
        try:
            with tracing.span(f"work.{wakeup.topic}", parent=wakeup.payload.get(tracing.FIELD), kind="consumer", subject=wakeup.subject_id, dealer=wakeup.dealer_id):
                async with connection.transaction():  # a savepoint: what fails here is undone, and the put-off is kept
                    again = await handlers[wakeup.topic](context, connection, wakeup)
        except Exception as error:
            if is_passing(error):  # then nothing can be written down either
                raise
            await _put_off(context, connection, wakeup, error)
            WORK.labels(wakeup.topic, "put_off").inc()
            return True
        if again is None:
            await jobs.done(connection, wakeup)
        else:
            await jobs.later(connection, wakeup, context.clock() + again, None)
    WORK.labels(wakeup.topic, "done" if again is None else "again").inc()
    return True


async def _put_off(context: Context, connection: Connection, wakeup: Wakeup, error: Exception) -> None:
    """Poisoned or just unlucky: others go first, and from the third time on it is counted where people see it."""
    attempt, reason = wakeup.attempts + 1, f"{type(error).__name__}: {error}"[:500]
    log.warning("work put off", topic=wakeup.topic, subject=wakeup.subject_id, attempt=attempt, reason=reason, exc_info=attempt == 1 and not isinstance(error, TelltaleError))
    wait = timedelta(seconds=max(1.0, retry.delay(attempt, context.luck(), base=2.0, cap=_LONGEST)))
    await jobs.later(connection, wakeup, context.clock() + wait, reason)
    if attempt >= _LOUD:
        await tallies.add(connection, [(wakeup.dealer_id, "work_stuck", f"{wakeup.topic} {wakeup.subject_id}", 1, context.clock(), reason)])
