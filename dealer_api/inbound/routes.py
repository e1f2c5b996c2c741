"""The register of this room's doors: method, path, handler and permission."""

from __future__ import annotations

from dealer_api import permissions as may
from dealer_api.inbound import phone, webhooks
from dealer_api.route import Route
from providers.register import PROVIDERS, reports_at, texts_at

_SPEAKING = [entry for entry in PROVIDERS if entry.inbound is not None]

ROUTES: tuple[Route, ...] = (
    Route("POST", "/inbound/phone", phone.answered, may.DEMO, "An answer typed on a demo phone"),
    *(
        Route(
            "POST",
            texts_at(one.name),
            webhooks.texts(one.name, one.channel),
            may.WEBHOOK,
            "An owner's text (signed by the provider)",
        )
        for one in _SPEAKING
    ),
    *(
        Route(
            "POST",
            reports_at(one.name),
            webhooks.reports(one.name),
            may.WEBHOOK,
            "A delivery report (signed by the provider)",
        )
        for one in _SPEAKING
    ),
)
