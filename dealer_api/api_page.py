"""docs/reference/api.md out of the register: `python -m dealer_api.api_page` prints it."""

from __future__ import annotations

from collections.abc import Sequence

from dealer_api.openapi import key_scopes
from dealer_api.route import PUBLIC, Route


def page(routes: Sequence[Route]) -> str:
    """Each door with what it does and who it opens for."""
    lines = [
        "# The API, door by door",
        "",
        "Made from the register in `dealer_api/routes.py` (`python -m dealer_api.api_page` prints it; a test "
        "compares). The whole description with every field is",
        "served at `/api/v1/openapi.json`. Every POST but the first takes an `Idempotency-Key`; lists come in pages "
        "(`cursor`, `next`); errors are",
        "problem bodies (RFC 9457). Who: signed-in people by role. Key: the scope that a program's key "
        "(`Authorization: Bearer tk_…`) needs; none: no key comes in.",
        "",
        "| call | does | who | key |",
        "|---|---|---|---|",
    ]
    for route in routes:
        query = "" if route.query is None else "?" + "&".join(route.query.model_fields)
        key = (
            "any"
            if route.who == PUBLIC
            else "none"
            if "api" not in route.who
            else " ".join(f"`{scope}`" for scope in key_scopes(route)) or "any"
        )
        lines.append(
            f"| `{route.method} {route.path}{query}` | {route.summary} | {', '.join(sorted(route.who - {'api'}))} | "
            f"{key} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys

    from dealer_api.routes import API

    sys.stdout.write(page(API))
