"""Whether the owner of a car that must not be driven on knows it, as the queue and the case's page say it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from dealer_api.desk import formatting
from rules.service import safety
from rules.service.driving import forbids
from rules.service.safety import Knows
from schemas.booking import BookingState
from schemas.message import MessageKind, MessageState, Purpose
from schemas.verdict import Severity
from store.views.casefile import CaseFile
from store.views.queue import QueueRow

_WITH_US = (BookingState.ARRIVED.value, BookingState.WORKING.value, BookingState.READY.value)


@dataclass(frozen=True, slots=True)
class Warned:
    """In words, and how it looks; `rings`: somebody must ring."""

    words: str
    look: str
    rings: bool


def of_row(row: QueueRow, zone: str, now: datetime) -> Warned | None:
    """For one line of the queue; None where nothing forbids to drive on, or we have the car."""
    if row.booking_state in _WITH_US or not _forbids((rule, severity) for rule, _, severity, _ in row.alerts):
        return None
    found = None
    if row.warning is not None:
        at = row.warning["sent_at"]
        found = safety.LastWarning(
            MessageState(row.warning["state"]), datetime.fromisoformat(at) if at else None, row.warning["reason"]
        )
    return _said(
        safety.knowledge(
            found,
            rang=row.rang,
            owned=row.owner_id is not None,
            reachable=row.reachable,
            stopped=row.stopped,
            agreed=row.warnable,
        ),
        zone,
        now,
    )


def of_case(file: CaseFile, zone: str, now: datetime) -> Warned | None:
    """The same for a case's page."""
    with_us = file.booking is not None and file.booking.state.value in _WITH_US
    if with_us or not _forbids((alert.rule, alert.severity.value) for alert in file.alerts if alert.state == "active"):
        return None
    texts = [text for text in file.warnings if text.kind is not MessageKind.SAFETY_OVER]
    newest = max(texts, key=lambda text: (text.state in safety.CAME, text.id), default=None)
    found = None if newest is None else safety.LastWarning(newest.state, newest.sent_at, newest.reason)
    owner, consent = file.owner, file.consents.get(Purpose.SAFETY)
    over = safety.taken_back(file.warnings)
    rang = max((call.at for call in file.spoken if over is None or call.at > over), default=None)
    return _said(
        safety.knowledge(
            found,
            rang=rang,
            owned=owner is not None,
            reachable=owner is not None and bool(owner.phone or owner.email),
            stopped=owner is not None and owner.stopped_at is not None,
            agreed=consent is not None and consent.given,
        ),
        zone,
        now,
    )


def _forbids(alerts: Iterable[tuple[str, str]]) -> bool:
    return any(forbids(rule, Severity(severity)) for rule, severity in alerts)


def _said(known: safety.Knows | safety.Unaware, zone: str, now: datetime) -> Warned:
    if isinstance(known, Knows):
        rang = ", we rang" if known.rang else ""
        return Warned(f"Owner knows since {formatting.when(known.since, zone, now)}{rang}", "good", False)
    return Warned(f"Owner does not know: {formatting.plain(known.because)}", "bad", True)
