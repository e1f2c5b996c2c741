"""Every phrase that a page says exists in every language, and no phrase is kept that nobody says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dealer_api.owner.driver_handover import ZONES
from dealer_api.owner.formatting import LANGUAGES
from dealer_api.owner.journey import MOBILE_STEPS, PICKUP_STEPS
from dealer_api.owner.visits import NOTES, REASONS
from rules.catalogue import RULES
from rules.service.pickup import TEXTS
from rules.service.wording import Wording
from schemas.booking import BookingKind
from schemas.handover import Energy, HandoverKind, Harm, View
from schemas.pickup import LegEvent, LegKind, LegState
from schemas.verdict import Severity

ROOM = Path(__file__).resolve().parents[3] / "dealer_api" / "owner"
SAID = re.compile(r"""say\(\s*(?:"([\w-]+)"|'([\w-]+)')""")


def phrases() -> set[str]:
    """Keys that stand in templates and code, and those that are put together from a noun's own names."""
    texts = [path.read_text() for path in (*ROOM.glob("*.py"), *(ROOM / "templates").glob("*.html"))]
    found = {one or other for text in texts for one, other in SAID.findall(text)}
    found |= {f"when-{kind.value}" for kind in BookingKind} | {f"reason-{reason}" for reason in REASONS} | set(NOTES)
    found |= {f"step-{step}" for step in {*PICKUP_STEPS, *MOBILE_STEPS}} | {f"score-{n}" for n in range(1, 6)}
    at = {*PICKUP_STEPS, *MOBILE_STEPS, "working", "cancelled", "open", "dismissed"} - {"handed_over"}
    found |= {f"{what}-{step}" for what in ("now", "lead") for step in at}
    found |= {f"do-{event.value}" for event in LegEvent if event in TEXTS} | {
        f"did-{state.value}" for state in LegState
    }
    found |= (
        {f"leg-{kind.value}" for kind in LegKind}
        | {"leg-tow"}
        | {f"{what}-{part}" for what in ("gone", "unknown", "away") for part in ("title", "lead")}
    )
    found |= {f"channel-{channel}" for channel in ("text", "email")} | {f"limit-{label}" for label in LABELS}
    found |= {f"handover-title-{kind.value}" for kind in HandoverKind} | {f"handover-{view.value}" for view in View}
    found |= {f"handover-{energy.value}" for energy in Energy} | {f"harm-{harm.value}" for harm in Harm}
    found |= {f"zone-{zone}" for zone in ZONES} | {f"extra-{urgency.value}" for urgency in Severity}
    return found | {
        "declined-lead-now",
        "declined-lead-later",
        "extra-approved",
        "extra-declined",
        "phone-owners",
        "phone-staff",
    }


LABELS = ("now", "soon", "advice", "placard", "lamp", "usual", "clear", "service", "limit")


@pytest.fixture(scope="module")
def wording() -> Wording:
    from telltale import data

    return Wording(data.texts())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_of_the_pages_exists(wording: Wording, language: str) -> None:
    assert {f"page-{key}" for key in phrases() if not key.endswith("-")} <= wording.keys(language)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_phrase_is_left_over(wording: Wording, language: str) -> None:
    kept = {key.removeprefix("page-") for key in wording.keys(language) if key.startswith("page-")}
    assert kept <= phrases() | {f"measured-{rule.name}" for rule in RULES}
