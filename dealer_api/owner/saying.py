"""What the car says, in its owner's words, with the chart that shows it and how fresh it is."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup
from pydantic import ValidationError

from dealer_api.charts import evidence_svg
from dealer_api.owner.speech import Speech, capitalised
from schemas.alert import Alert, Evidence
from store.pages.journey import Visit


@dataclass(frozen=True, slots=True)
class Saying:
    """The upper half of an owner's page."""

    headline: str
    drive: str
    severity: str
    chart: Markup
    heard: str
    also: tuple[str, ...]


def saying_of(speech: Speech, visit: Visit) -> Saying:
    """The most urgent alert speaks; the others are named. A case opened by hand has no alert and no chart."""
    main = visit.alerts[0] if visit.alerts else None
    severity = main.severity.value if main else visit.case.severity.value
    heard = visit.car.last_heard_at
    return Saying(
        headline=_what(speech, main) if main else visit.case.title,
        drive=speech.drive(main.rule if main else None, main.component if main else "", severity),
        severity=severity,
        chart=_chart(speech, main) if main else Markup(""),
        heard=capitalised(speech.say("heard", ago=speech.ago(heard))) if heard else speech.say("heard-never"),
        also=tuple(dict.fromkeys(_what(speech, alert) for alert in visit.alerts[1:] if alert.state == "active" and alert.rule != main.rule)) if main else (),
    )


def _what(speech: Speech, alert: Alert) -> str:
    return speech.what(alert.rule, alert.component, alert.severity.value)


def _chart(speech: Speech, alert: Alert) -> Markup:
    try:
        evidence = Evidence.model_validate(alert.evidence)
    except ValidationError:  # an older rule's evidence: no picture is better than a wrong one
        return Markup("")
    return evidence_svg(evidence, language=speech.language, zone_name=speech.zone, title=_what(speech, alert), key=f"alert-{alert.id}")
