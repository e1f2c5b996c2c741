"""The register of this room's doors: method, path, handler and permission."""

from __future__ import annotations

from dealer_api import permissions as may
from dealer_api.inbound import phone, twilio
from dealer_api.route import Route

ROUTES: tuple[Route, ...] = (
    Route("POST", "/inbound/phone", phone.answered, may.DEMO, "An answer typed on a demo phone"),
    Route("POST", "/inbound/twilio", twilio.received, may.WEBHOOK, "An owner's text (signed by Twilio)"),
    Route("POST", "/inbound/twilio/status", twilio.reported, may.WEBHOOK, "A delivery report (signed by Twilio)"),
)
