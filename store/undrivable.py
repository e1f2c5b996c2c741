"""The table of which faults forbid to drive on (`schemas.verdict`), as SQL about a row `a` of alerts."""

from __future__ import annotations

import json
from typing import Final

from schemas.verdict import STAYS_AT, USUAL

_AT = json.dumps({rule: sorted(severities) for rule, severities in STAYS_AT.items()})
#: The alert is active, not of a rule on trial, and forbids to drive on.
FORBIDS: Final = (
    "a.state = 'active' AND NOT a.shadow AND "
    f"coalesce('{_AT}'::jsonb -> a.rule, '{json.dumps(sorted(USUAL))}'::jsonb) ? a.severity"
)
