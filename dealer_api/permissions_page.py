"""docs/reference/permissions.md out of the registers: `python -m dealer_api.permissions_page` prints it."""

from __future__ import annotations

from collections.abc import Sequence

from dealer_api.permissions import ANY_KEY, PERMISSIONS, ROLES, Permission
from dealer_api.route import Route
from schemas.scope import SCOPES


def page(routes: Sequence[Route]) -> str:
    """Act by role, then door by door."""
    doors = [route for route in routes if not route.permission.public]
    lines = [
        "# Who may do what",
        "",
        "Made from `dealer_api/permissions.py` and the registers of doors (`python -m dealer_api.permissions_page` "
        "prints it; a test compares). Each act is one",
        "line, whether it goes through the API or through a page. Staff are let in by role; a program's key opens a "
        "door of the API when it was made for the",
        "scope. Everybody sees their own dealer's things only: another dealer's are answered as if they did not exist.",
        "",
        f"{len(doors)} doors for people who are signed in, {len(routes) - len(doors)} for others, {len(PERMISSIONS)} "
        f"permissions, {len(ROLES)} roles, {len(SCOPES)} scopes.",
        "",
        f"| act | {' | '.join(ROLES)} | key for | means |",
        f"|---|{'---|' * len(ROLES)}---|---|",
        *(_act(permission) for permission in PERMISSIONS if not permission.public),
        "",
        "Where nobody signs in, something else is asked for:",
        "",
        "| act | is asked for | means |",
        "|---|---|---|",
        *(
            f"| `{permission.name}` | {permission.proof} | {permission.does} |"
            for permission in PERMISSIONS
            if permission.public
        ),
        "",
        "## Door by door",
        "",
        "| door | act |",
        "|---|---|",
        *(f"| `{route.method} {route.path}` | `{route.permission.name}` |" for route in routes),
    ]
    return "\n".join(lines) + "\n"


def _act(permission: Permission) -> str:
    marks = " | ".join("yes" if permission.allows(role) else "" for role in ROLES)
    scope = {None: "no key", ANY_KEY: "any key"}.get(permission.scope, f"`{permission.scope}`")
    return f"| `{permission.name}` | {marks} | {scope} | {permission.does} |"


if __name__ == "__main__":
    import sys

    from dealer_api.routes import ROUTES

    sys.stdout.write(page(ROUTES))
