"""OpenAPI 3.1 out of the register and pydantic's own JSON schemas."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import models_json_schema

from dealer_api.bodies import LARGEST_ID
from dealer_api.permissions import ANY_KEY
from dealer_api.route import PUBLIC, Route

_REF = "#/components/schemas/{model}"
_PROBLEM = {
    "type": "object",
    "description": (
        "An error (RFC 9457). `field` names what was wrong, `allowed` the moves that are possible, "
        "`windows` what is free instead."
    ),
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "field": {"type": "string"},
        "state": {"type": "string"},
        "allowed": {"type": "array", "items": {"type": "string"}},
        "windows": {"type": "array", "items": {"type": "string"}},
    },
}
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": True,
    "schema": {"type": "string", "minLength": 1, "maxLength": 200},
    "description": (
        "A value of your own, such as a UUID. The same request with the same key is carried out once "
        "and answered with the same bytes."
    ),
}
_CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?$"
_ABOUT = """Times are RFC 3339 with a zone. Lists come in pages: `next` is the `cursor` of the page after.
Every POST takes an `Idempotency-Key`.
Sign in as a person with `POST /api/v1/session` (a cookie), or as a program with `Authorization: Bearer tk_…`. A key may
do what its scopes name; the scope that a call needs stands with its security. Writing includes reading."""


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """The whole description; the same every time for the same register."""
    models, schemas = _schemas(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, models)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Telltale", "version": "1", "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": {**schemas, "Problem": _PROBLEM},
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": "telltale_session"},
                "key": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def _schemas(routes: Sequence[Route]) -> tuple[dict[tuple[Any, str], Any], dict[str, Any]]:
    wanted: dict[tuple[Any, Any], None] = {}
    for route in routes:
        wanted |= {
            (model, mode): None
            for model, mode in ((route.body, "validation"), (route.answer, "serialization"))
            if model is not None
        }
    refs, whole = models_json_schema(list(wanted), ref_template=_REF)
    described = whole.get("$defs", {})
    for schema in described.values():
        for what in schema.get("properties", {}).values():
            if what.get("default", what) is None and "null" not in str(what):
                del what["default"]  # it may be left out, but nothing is not one of its values
            for part in (what, *what.get("anyOf", ())):
                # of JSON Schema's: that one has a zone, and a clock on the wall has none
                if part.get("format") == "time":
                    part |= {"format": "wall-time", "pattern": _CLOCK}
    return {(model, str(mode)): schema for (model, mode), schema in refs.items()}, described


def _operation(route: Route, models: dict[tuple[Any, str], Any]) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "integer", "minimum": 1, "maximum": LARGEST_ID},
        }
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    parameters += _query(route.query)
    if route.needs_key:
        parameters.append(_KEY)
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": _name(route),
        "tags": [route.path.split("/")[3] if route.path.count("/") >= 3 else "api"],
        "parameters": parameters,
        "responses": {
            str(route.status): {"description": "Done", **_content(models.get((route.answer, "serialization")))},
            "default": {
                "description": "It did not work",
                "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
            },
        },
        "security": []
        if route.who == PUBLIC
        else ([{"session": []}, {"key": key_scopes(route)}] if "api" in route.who else [{"session": []}]),
        "x-permission": route.permission.name,
        "x-roles": sorted(route.who),
        **({"x-scope": route.permission.scope} if "api" in route.who else {}),
    }
    if route.body is not None:
        operation["requestBody"] = {"required": True, **_content(models[(route.body, "validation")])}
    elif route.media != "application/json":
        operation["requestBody"] = {"required": True, "content": {route.media: {"schema": {"type": "string"}}}}
    return operation


def key_scopes(route: Route) -> list[str]:
    """What a key must have been made for; nothing where every key will do."""
    return [route.permission.scope] if route.permission.scope not in (None, ANY_KEY) else []


def _content(schema: Any) -> dict[str, Any]:
    return {} if schema is None else {"content": {"application/json": {"schema": schema}}}


def _query(model: type[BaseModel] | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = TypeAdapter(model).json_schema()
    needed = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in needed, "schema": _inlined(what, schema.get("$defs", {}))}
        for name, what in schema["properties"].items()
    ]


def _inlined(schema: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    """A query parameter's schema without references: those would point into a document of their own."""
    if "$ref" in schema:
        return {**defs[schema["$ref"].rpartition("/")[2]], **{k: v for k, v in schema.items() if k != "$ref"}}
    return {
        key: [_inlined(part, defs) for part in value] if key in ("anyOf", "allOf") else value
        for key, value in schema.items()
    }


def _name(route: Route) -> str:
    words = [part.strip("{}") for part in re.split(r"[/\-.]", route.path.removeprefix("/api/v1/")) if part]
    return "_".join([route.method.lower(), *words])
