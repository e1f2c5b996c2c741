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
from store.jobs import Job
from store.pool import Connection, is_passing, transaction
from workers import casework, doubling, reminding, replying, safety, verifying, witnessing
from workers.context import Context
from workers.metrics import WORK

log = structlog.get_logger()

#: Does the work of one job; a returned timedelta asks for another look after that much business time.
Handler = Callable[[Context, Connection, Job], Awaitable[timedelta | None]]

#: Which hand takes what.
HANDLERS: Mapping[str, Handler] = {
    "alert": casework.alert_moved,
    "safety": safety.again,
    "case_unacknowledged": casework.unacknowledged,
    "proof": verifying.prove,
    "feedback": verifying.ask,
    "booking": reminding.plan,
    "offer": reminding.offer_due,
    "reply": replying.tell_staff,
    "note": replying.tell_note,
    "unreached": replying.tell_unreached,
    "ring": replying.tell_to_ring,
    "scored": replying.tell_score,
    "extra_work": replying.unanswered,
    "two_units": doubling.found,
    "witness": witnessing.write,
}
_LOUD = 3  #: from this attempt on the desk sees that something is stuck
_LONGEST = 3600.0


async def one(context: Context, handlers: Mapping[str, Handler] = HANDLERS) -> bool:
    """Do the next due piece of work. False when none is due."""
    async with transaction(context.pool) as connection:
        job = await jobs.take(connection, context.clock(), tuple(handlers))
        if job is None:
            return False
        try:
            with tracing.span(
                f"work.{job.topic}",
                parent=job.payload.get(tracing.FIELD),
                kind="consumer",
                subject=job.subject_id,
                dealer=job.dealer_id,
            ):
                async with connection.transaction():  # a savepoint: what fails here is undone, and the put-off is kept
                    again = await handlers[job.topic](context, connection, job)
        except Exception as error:
            if is_passing(error):  # then nothing can be written down either
                raise
            await _put_off(context, connection, job, error)
            WORK.labels(job.topic, "put_off").inc()
            return True
        if again is None:
            await jobs.done(connection, job)
        else:
            await jobs.later(connection, job, context.clock() + again, None)
    WORK.labels(job.topic, "done" if again is None else "again").inc()
    return True


async def _put_off(context: Context, connection: Connection, job: Job, error: Exception) -> None:
    """Poisoned or just unlucky: others go first, and from the third time on it is counted where people see it."""
    attempt, reason = job.attempts + 1, f"{type(error).__name__}: {error}"[:500]
    log.warning(
        "work put off",
        topic=job.topic,
        subject=job.subject_id,
        attempt=attempt,
        reason=reason,
        exc_info=attempt == 1 and not isinstance(error, TelltaleError),
    )
    wait = timedelta(seconds=max(1.0, retry.delay(attempt, context.luck(), base=2.0, cap=_LONGEST)))
    await jobs.later(connection, job, context.clock() + wait, reason)
    if attempt >= _LOUD:
        await tallies.add(
            connection, [(job.dealer_id, "work_stuck", f"{job.topic} {job.subject_id}", 1, context.clock(), reason)]
        )
