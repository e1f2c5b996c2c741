"""The register of this room's doors: method, path, handler and who may knock."""

from __future__ import annotations

from dealer_api.inbound import phone, twilio
from dealer_api.route import PUBLIC, Route

ROUTES: tuple[Route, ...] = (
    Route("POST", "/inbound/phone", phone.answered, PUBLIC, "An answer typed on a demo phone"),
    Route("POST", "/inbound/twilio", twilio.received, PUBLIC, "An owner's text (signed by Twilio)"),
    Route("POST", "/inbound/twilio/status", twilio.reported, PUBLIC, "A delivery report (signed by Twilio)"),
)
