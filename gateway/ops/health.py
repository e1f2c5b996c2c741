"""How the gateway is: *live* while a restart would not help, *ready* while it can promise.

Ready means *committed lately*, not *connected*.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from gateway import metrics
from gateway.intake.loop import Intake
from gateway.intake.writer import Writer
from gateway.mqtt.broker import Broker
from gateway.ops.auth_callout import AuthCallout
from gateway.ops.backlog import CatchingUp
from monitoring.page import HealthPage, State
from schemas.reading import Refusal

COMMIT_S = 15.0  #: the beat commits every second, so a gap this long means that nothing can be promised
PULSE_S = 15.0
STUCK_S = 300.0  #: whoever waits for a database tries again at least this often; who does not even try hangs


class Health:
    """What `/health/live`, `/health/ready` and `/metrics` say."""

    def __init__(
        self,
        broker: Broker,
        intake: Intake,
        writer: Writer,
        catching_up: CatchingUp,
        auth_callout: AuthCallout | None = None,
    ) -> None:
        self.broker, self.intake, self.writer, self.catching_up, self.auth_callout = (
            broker,
            intake,
            writer,
            catching_up,
            auth_callout,
        )
        self.beaten = time.monotonic()
        self.serving = False
        self._counted = dict[str, float]()
        for (
            rule
        ) in intake.fleet.judge.versions:  # a series must stand at zero before it moves, or nobody sees its first step
            metrics.RULE_FAULTS.labels(rule)
        for reason in Refusal:
            metrics.REFUSED.labels(reason.value)

    def beat(self) -> None:
        """The lease's beat was committed."""
        self.beaten = time.monotonic()

    def page(self) -> HealthPage:
        """The page of this gateway."""
        return HealthPage("gateway", live=self.stuck, ready=self.state, look=self.look)

    def stuck(self) -> list[str]:
        """Why only a restart would help.

        A database or a broker that is away is none of it: we go on by ourselves when it is back.
        """
        tried = time.monotonic() - self.writer.tried
        return [f"no attempt at the database for {tried:.0f} s"] if self.serving and tried > STUCK_S else []

    async def state(self) -> State:
        """Whether messages are promised at this moment."""
        return State(self.faults(), self.catching_up.words())

    def faults(self) -> list[str]:
        """Why nothing can be promised now."""
        now = time.monotonic()
        found = []
        last = max(self.beaten, self.intake.last_commit)
        if now - last > COMMIT_S:
            found.append(f"nothing committed for {now - last:.0f} s")
        if (
            self.intake.oldest_pending is not None
            and now - self.intake.oldest_pending > COMMIT_S
            and now - self.intake.last_commit > COMMIT_S
        ):
            found.append("messages wait for their commit")
        if not self.serving:
            found.append("starting")
        if self.writer.down_since is not None:
            found.append("the database is away")
        for session in self.broker.sessions.values():
            if not session.subscribed.is_set():
                found.append(f"bucket {session.bucket:02d} has no session")
            elif session.silent_for(now) > PULSE_S:
                found.append(f"bucket {session.bucket:02d} hears nothing")
        return found

    async def look(self) -> None:
        """Gauges, before a scrape.

        What the hot path counts in plain numbers is carried over here, so that it costs nothing there.
        """
        now, intake, fleet, sessions = time.monotonic(), self.intake, self.intake.fleet, self.broker.sessions.values()
        metrics.BACKLOG.set(self.broker.backlog())
        metrics.OLDEST.set(now - intake.oldest_pending if intake.oldest_pending is not None else 0)
        metrics.COMMIT_AGE.set(now - max(self.beaten, intake.last_commit))
        metrics.CATCHING_UP.set(self.broker.behind_since is not None)
        metrics.OWED.set(self.catching_up.owed or 0 if self.broker.behind_since is not None else 0)
        metrics.CARS.set(len(fleet.by_id))
        metrics.GAPPY.set(len(fleet.gappy))
        metrics.BUCKETS.set(len(self.writer.buckets))
        subscribed = sum(session.subscribed.is_set() for session in sessions)
        metrics.SESSIONS.labels("subscribed").set(subscribed)
        metrics.SESSIONS.labels("away").set(len(sessions) - subscribed)
        metrics.DATABASE_UP.set(self.writer.down_since is None)
        broken: Mapping[str, Any] = getattr(fleet.judge, "broken", {})
        for name, counter, so_far in (
            ("messages", metrics.MESSAGES, intake.messages),
            ("duplicates", metrics.DUPLICATES, intake.duplicates),
            ("late", metrics.LATE, intake.batch_judge.late),
            ("waits", metrics.DATABASE_SECONDS, self.writer.waits),
            (
                "let in",
                metrics.SIGN_INS.labels("let_in"),
                self.auth_callout.sign_ins.accepted if self.auth_callout else 0,
            ),
            (
                "turned away",
                metrics.SIGN_INS.labels("turned_away"),
                self.auth_callout.sign_ins.turned_away if self.auth_callout else 0,
            ),
            *((f"rule {rule}", metrics.RULE_FAULTS.labels(rule), how.count) for rule, how in broken.items()),
        ):
            counter.inc(so_far - self._counted.get(name, 0))
            self._counted[name] = so_far
