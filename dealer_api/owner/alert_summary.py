"""What the car says, in its owner's words, with the chart that shows it and how fresh it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from markupsafe import Markup
from pydantic import ValidationError

from dealer_api.charts import evidence_svg
from dealer_api.owner.formatting import Speech, capitalised
from rules.service.driving import forbids
from schemas.alert import Alert, AlertState, Evidence
from store.views.journey import Visit


@dataclass(frozen=True, slots=True)
class AlertSummary:
    """The upper half of an owner's page."""

    headline: str
    drive: str
    severity: str
    chart: Markup
    caption: str  #: what the chart measures
    heard: str
    also: tuple[str, ...]


def summary_of(speech: Speech, visit: Visit) -> AlertSummary:
    """The most urgent alert speaks; the others are named. A case opened by hand has no alert and no chart."""
    main = max(visit.alerts, key=_urgency, default=None)
    severity = max(main.severity if main else visit.case.severity, visit.case.severity, key=lambda one: one.rank).value
    heard = visit.car.last_heard_at
    return AlertSummary(
        headline=_what(speech, main) if main else visit.case.title,
        drive=speech.drive(main.rule if main else None, main.component if main else "", severity),
        severity=severity,
        chart=_chart(speech, main) if main else Markup(""),
        caption=speech.measured(main.rule) if main else "",
        heard=capitalised(speech.say("heard", ago=speech.ago(heard), time=speech.clock(heard)))
        if heard
        else speech.say("heard-never"),
        also=tuple(
            dict.fromkeys(
                _what(speech, alert)
                for alert in visit.alerts
                if alert.state is AlertState.ACTIVE and (alert.rule, alert.component) != (main.rule, main.component)
            )
        )
        if main
        else (),
    )


def _urgency(alert: Alert) -> tuple[bool, int, bool, bool, int]:
    """What the owner is told first: that they must not drive, then the most urgent (a fault that hides while the car
    stands is not gone), and words before bare codes.
    """
    return (
        forbids(alert.rule, alert.severity),
        alert.severity.rank,
        alert.state is AlertState.ACTIVE,
        alert.rule != "trouble_code",
        alert.id,
    )


def _what(speech: Speech, alert: Alert) -> str:
    return speech.what(alert.rule, alert.component, alert.severity.value)


def _chart(speech: Speech, alert: Alert) -> Markup:
    try:
        evidence = Evidence.model_validate(alert.evidence)
    except ValidationError:  # an older rule's evidence: no picture is better than a wrong one
        return Markup("")
    return evidence_svg(
        evidence,
        language=speech.language,
        zone_name=speech.zone,
        title=_what(speech, alert),
        key=f"alert-{alert.id}",
        call=speech.limit,
    )


def healing_of(speech: Speech, stored: dict[str, Any]) -> Markup:
    """What the car measured before the repair and after it, as rules.service.healing kept it."""
    try:
        evidence = Evidence.model_validate(stored)
    except ValidationError:  # as above
        return Markup("")
    return evidence_svg(
        evidence,
        language=speech.language,
        zone_name=speech.zone,
        title=speech.say("healing"),
        key="healing",
        call=speech.limit,
    )
