"""One permission for one act, whichever door it goes through; and the page about them is made from the registers."""

from __future__ import annotations

import ast
import inspect
from collections import defaultdict
from pathlib import Path
from types import ModuleType

from dealer_api.permissions import PERMISSIONS, ROLES
from dealer_api.permissions_page import page
from dealer_api.routes import ROUTES
from tests.reading_code import nodes_of

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "permissions.md"
DECISIONS = (
    "actions.",
    "store.quarantine",
    "store.threads",
)  #: where things are done; what is only read is not compared
READS = {
    "one",
    "page",
    "lines",
    "of_owner",
    "strangers",
    "free_windows",
    "conflicts",
    "languages",
    "lines_of",
    "invitation",
    "waiting_words",
    "taken_from",
    "unheard",
    "of_visit",
    "made_at",
}


def acts_of(handler) -> set[str]:
    """Functions that do something which this handler reaches, also through helpers of its own file."""
    found = set()
    for home, node in nodes_of(handler):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module = getattr(home, node.value.id, None)
            what = getattr(module, node.attr, None) if isinstance(module, ModuleType) else None
            if inspect.isfunction(what) and what.__module__.startswith(DECISIONS) and what.__name__ not in READS:
                found.add(f"{what.__module__}.{what.__name__}")
    return found


def test_the_same_act_asks_for_the_same_permission_at_every_door():
    needed = defaultdict(lambda: defaultdict(list))
    for route in ROUTES:
        if not route.permission.public:
            for act in acts_of(route.handler):
                needed[act][route.permission.name].append(f"{route.method} {route.path}")
    assert len(needed) > 25, "the acts are no longer found: look at acts_of"
    assert {"actions.offers.accept", "store.quarantine.decide", "actions.legs.move"} <= set(needed)
    several = {act: dict(doors) for act, doors in needed.items() if len(doors) > 1}
    assert not several, several


def test_every_permission_has_a_name_of_its_own_says_what_it_means_and_is_asked_for():
    assert len({permission.name for permission in PERMISSIONS}) == len(PERMISSIONS)
    used = {route.permission.name for route in ROUTES} | {
        "positions.read",
        "messages.read",
    }  # no doors of their own, but parts of the answers of others
    for permission in PERMISSIONS:
        assert permission.does and permission.name in used
        assert permission.roles <= set(ROLES)
        assert bool(permission.proof) == permission.public, permission.name


def test_no_key_makes_or_ends_people_or_keys():
    for route in ROUTES:
        if "staff" in route.path.split("/") and route.method != "GET" or "keys" in route.path.split("/"):
            assert "api" not in route.who, route.path


def test_the_page_of_permissions_is_as_the_registers_make_it():
    assert PAGE.read_text() == page(ROUTES), (
        "run: python -m dealer_api.permissions_page > docs/reference/permissions.md"
    )
