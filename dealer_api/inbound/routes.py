"""The register of this room's doors: method, path, handler and permission."""

from __future__ import annotations

from dealer_api import permissions as may
from dealer_api.inbound import mail, phone, webhooks
from dealer_api.route import Route
from providers.register import PROVIDERS, reports_at, texts_at

_SPEAKING = [entry for entry in PROVIDERS if entry.inbound is not None]

ROUTES: tuple[Route, ...] = (
    Route(
        "POST", "/inbound/phone", handler=phone.answered, permission=may.DEMO, summary="An answer typed on a demo phone"
    ),
    Route(
        "POST",
        "/inbound/mail",
        handler=mail.received,
        permission=may.WEBHOOK,
        summary="A mail that came in (signed)",
        media=mail.MEDIA,
    ),
    *(
        Route(
            "POST",
            texts_at(one.name),
            handler=webhooks.texts(one.name, one.channel),
            permission=may.WEBHOOK,
            summary="An owner's text (signed by the provider)",
        )
        for one in _SPEAKING
    ),
    *(
        Route(
            "POST",
            reports_at(one.name),
            handler=webhooks.reports(one.name),
            permission=may.WEBHOOK,
            summary="A delivery report (signed by the provider)",
        )
        for one in _SPEAKING
    ),
)
