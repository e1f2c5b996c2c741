"""One of our commands with one guard taken out, for proofs that run services as production does.

    python -m proofs.sabotage SWITCH gateway --share 0/2

No production code knows that it is being tested. A switch touches only the services whose guard it takes out.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from proofs.swap import swap


def ack_before_commit() -> None:
    """The gateway acknowledges what it has read, as most examples do."""
    from gateway.intake.loop import Intake

    taken = Intake._take

    async def take(self: Intake) -> Any:
        chunks = await taken(self)
        for chunk in chunks:
            chunk.session.ack(chunk.epoch, chunk.mids)
        return chunks

    swap(Intake, "_take", take)


def no_dedupe() -> None:
    """Every row is a new one; the proof also drops the unique key, the second of the two guards."""
    from proofs import gateway_under

    gateway_under.no_dedupe()


def no_session_keep() -> None:
    """The gateway signs in with a clean session, as most examples do: what came while it was away is gone."""
    from gateway.mqtt import session
    from gateway.mqtt.bulk_reader import BulkClient

    connect = BulkClient.connect

    def fresh(self: BulkClient, *given: Any, **named: Any) -> Any:
        if "properties" in named:
            named |= {"clean_start": True}
        else:
            self._clean_session = True
        return connect(self, *given, **named)

    swap(BulkClient, "connect", fresh)
    swap(session, "SESSION_EXPIRY_S", 0)


def no_truth_check() -> None:
    """A worker believes what was true when the text was written."""
    from proofs.messages_under import true_enough

    _context(untrue=true_enough)


def no_consent_recheck() -> None:
    """A worker believes what was allowed when the text was queued."""
    from proofs.messages_under import allowed_enough

    _context(permitted=allowed_enough)


def no_lookup() -> None:
    """A worker sends again what nobody can tell about, without asking the provider first."""
    from providers.provider import Lookup
    from providers.twilio.sending import Twilio

    async def never_came(*_: object) -> Lookup:
        return Lookup.NEVER_CAME

    swap(Twilio, "lookup", never_came)


def _context(**parts: Any) -> None:
    from workers import running
    from workers.context import Context

    def context(*given: Any, **named: Any) -> Context:
        return Context(*given, **{**named, **parts})

    swap(running, "Context", context)


def elsewhere() -> None:
    """The guard is not in our code: the proof's house is set up without it."""


#: switch -> what it does to a service
SWITCHES: dict[str, Callable[[], None]] = {
    "ack-before-commit": ack_before_commit,
    "no-dedupe": no_dedupe,
    "no-session-keep": no_session_keep,
    "no-truth-check": no_truth_check,
    "no-consent-recheck": no_consent_recheck,
    "no-lookup": no_lookup,
    "asynchronous-standby": elsewhere,
}


if __name__ == "__main__":
    SWITCHES[sys.argv[1]]()
    sys.argv[:2] = ["telltale"]
    from telltale.__main__ import main

    sys.exit(main())
