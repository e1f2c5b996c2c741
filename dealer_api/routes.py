"""The register of every door: the JSON API here, the pages' and webhooks' in their own rooms."""

from __future__ import annotations

from dealer_api.desk.routes import ROUTES as DESK
from dealer_api.handlers import events, health, sessions
from dealer_api.inbound.routes import ROUTES as INBOUND
from dealer_api.owner.routes import ROUTES as OWNER
from dealer_api.route import EVERYONE, PEOPLE, PUBLIC, Route

API: tuple[Route, ...] = (
    Route("POST", "/api/v1/session", sessions.open_session, PUBLIC, "Sign in as a person; sets the session's cookie", sessions.SignIn, sessions.SignedIn, status=201),
    Route("GET", "/api/v1/session", sessions.show_session, EVERYONE, "Who am I", answer=sessions.SignedIn),
    Route("DELETE", "/api/v1/session", sessions.close_session, PEOPLE, "Sign out", status=204),
)

HOUSEKEEPING: tuple[Route, ...] = (
    Route("GET", "/events", events.events, PEOPLE, "Live changes of this dealer (server-sent events)"),
    Route("GET", "/health/live", health.live, PUBLIC, "Is the process alive"),
    Route("GET", "/health/ready", health.ready, PUBLIC, "Can it serve"),
    Route("GET", "/metrics", health.metrics, PUBLIC, "Counters, for a scraper on this machine"),
)

ROUTES: tuple[Route, ...] = (*API, *HOUSEKEEPING, *DESK, *OWNER, *INBOUND)
