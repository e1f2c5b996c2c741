"""The API describes itself, truly."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema

from dealer_api.api_page import page
from dealer_api.openapi import document
from dealer_api.routes import API
from tests.integration.dealer_api.conftest import Desk

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "api.md"


def test_the_page_of_the_api_is_as_the_register_makes_it():
    assert PAGE.read_text() == page(API), "run: python -m dealer_api.api_page > docs/reference/api.md"


def test_every_reference_in_the_description_leads_somewhere_and_every_schema_is_one():
    described = document(API)
    text = json.dumps(described)
    for name, schema in described["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema(schema)
        assert f"/{name}" in text or name == "Problem"
    refs = set()

    def walk(node):
        if isinstance(node, dict):
            refs.update([node["$ref"]] if "$ref" in node else [])
            for value in node.values():
                walk(value)
        elif isinstance(node, list):
            for value in node:
                walk(value)

    walk(described)
    assert refs and all(ref.removeprefix("#/components/schemas/") in described["components"]["schemas"] for ref in refs)


def test_every_operation_has_a_name_of_its_own_a_summary_and_says_who_may():
    operations = [operation for path in document(API)["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations) == len(API)
    assert all(operation["summary"] and operation["x-roles"] for operation in operations)


def test_every_post_that_changes_something_needs_a_key_in_the_description():
    for path, operations in document(API)["paths"].items():
        if "post" in operations and path != "/api/v1/session":
            assert any(p["name"] == "Idempotency-Key" and p["required"] for p in operations["post"]["parameters"]), path


async def test_the_description_is_served_to_everybody(desk: Desk):
    client = desk.anonymous()
    response = await client.get("/api/v1/openapi.json")
    assert response.status == 200 and (await response.json())["openapi"] == "3.1.0"
    assert "script-src 'self'" in response.headers["Content-Security-Policy"]
    await client.close()


async def test_errors_are_problem_bodies_of_the_described_shape(desk: Desk):
    advisor = await desk.as_role("advisor")
    schema = document(API)["components"]["schemas"]["Problem"]
    for path in (
        "/api/v1/cases/1",
        "/api/v1/cases/abc",
        "/api/v1/nowhere",
        "/api/v1/cases?state=odd",
        "/api/v1/cases?limit=0",
        "/api/v1/cases?colour=red",
        "/api/v1/vehicles?cursor=x",
    ):
        response = await advisor.get(path)
        assert response.content_type == "application/problem+json" and 400 <= response.status < 500, path
        jsonschema.validate(await response.json(content_type=None), schema)
    response = await advisor.post(
        "/api/v1/cases",
        data="{",
        headers={"Content-Type": "text/plain", "Idempotency-Key": "x", "X-CSRF-Token": "none"},
    )
    assert response.status in (403, 415)


async def test_a_field_that_we_do_not_know_is_refused_not_ignored(desk: Desk):
    advisor = await desk.as_role("advisor")
    for n, extra in enumerate(
        ({"dealer_id": 2}, {"id": 1}, {"stopped_at": None}, {"created_at": "2026-01-01T00:00:00Z"})
    ):
        response = await advisor.post(
            "/api/v1/owners",
            json={"name": "A", "phone": "+491701111003", **extra},
            headers={"Idempotency-Key": f"m{n}"},
        )
        assert response.status == 422 and (await response.json(content_type=None))["field"] in extra


def test_every_call_of_the_howto_is_a_door_of_the_register():
    text = (PAGE.parents[1] / "howto" / "use-the-api.md").read_text()
    doors = {(route.method, re.sub(r"{\w+}", "N", route.path)) for route in API}
    posts = {
        ("POST", "/api/v1" + re.sub(r"/\d+", "/N", path))
        for path in re.findall(r'^ +post "?(/[\w/-]+)', text, re.MULTILINE)
    }
    gets = {("GET", path) for path in re.findall(r"\$DESK(/api/v1/[\w/]+)", text)}
    assert len(posts) >= 4 and gets and posts | gets <= doors, (posts | gets) - doors
