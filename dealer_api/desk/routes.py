"""The register of this room's doors: method, path, handler and who may knock."""

from __future__ import annotations

from dealer_api.route import Route

ROUTES: tuple[Route, ...] = ()
