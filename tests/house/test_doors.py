"""The register of doors, as a whole: who, with which scope, and which are there in a demo only."""

from __future__ import annotations

import pytest

from dealer_api.permissions import ANY_KEY, PERMISSIONS, SEE_SELF
from dealer_api.route import PUBLIC, Route
from dealer_api.routes import ROUTES, doors
from schemas.scope import BEFORE_SCOPES, MEANS, SCOPES, chosen, granted


def _name(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("route", [route for route in ROUTES if "api" in route.who], ids=_name)
def test_every_door_for_programs_names_the_scope_that_a_key_needs(route: Route) -> None:
    assert route.is_api and (route.permission.scope in SCOPES or route.permission is SEE_SELF)


def test_every_scope_opens_some_act_and_means_something_to_whoever_makes_a_key() -> None:
    assert {found.scope for found in PERMISSIONS if found.scope is not None} - {ANY_KEY} == set(SCOPES)
    assert list(MEANS) == sorted(MEANS) and set(BEFORE_SCOPES) <= set(SCOPES)


def test_no_key_comes_where_people_and_keys_are_made_changed_or_ended() -> None:
    for route in ROUTES:
        if ("/staff" in route.path or "/keys" in route.path) and route.method != "GET":
            assert route.who == {"manager"}, _name(route)
    assert "staff:write" not in SCOPES


def test_a_real_house_has_none_of_the_demo_s_doors() -> None:
    gone = {_name(route) for route in ROUTES} - {_name(route) for route in doors(demo=False)}
    assert gone == {"POST /sign-in/demo", "GET /phone", "GET /phone/texts", "POST /inbound/phone"}
    assert all(route.who == PUBLIC for route in ROUTES if route.demo)
    assert doors(demo=True) == ROUTES


def test_writing_includes_reading_and_nothing_includes_another_thing() -> None:
    assert granted(["cases:write"]) == {"cases:write", "cases:read"} and granted(["cases:read"]) == {"cases:read"}
    assert chosen(["all"]) == SCOPES and all(scope.endswith(":read") for scope in chosen(["read"]))
