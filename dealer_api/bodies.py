"""Bodies, parameters and cursors: from bytes to models and back, with errors that name the field."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Generic, TypeVar

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from dealer_api.faults import NotJson
from schemas.errors import BadInput, NotFound

Model = TypeVar("Model", bound=BaseModel)
Item = TypeVar("Item")


class Body(BaseModel):
    """What a caller may send: a field we do not know is refused, so that nobody believes it was stored."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, str_strip_whitespace=True)


class Query(BaseModel):
    """What a caller may ask in the address."""

    model_config = ConfigDict(extra="forbid")


class Paged(Query):
    """A list in pages: `cursor` is the `next` of the page before."""

    cursor: Annotated[str | None, Field(max_length=400)] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class Page(BaseModel, Generic[Item]):
    """One page of a list; `next` is null on the last."""

    items: list[Item]
    next: str | None = None


async def read(request: web.Request, model: type[Model]) -> Model:
    """The JSON body as that model."""
    raw = await request.read()
    if not raw:
        raw = b"{}"
    elif request.content_type != "application/json":
        raise NotJson()
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise bad_input(error) from None


def asked(request: web.Request, model: type[Model]) -> Model:
    """The query string as that model."""
    try:
        return model.model_validate(dict(request.query))
    except ValidationError as error:
        raise bad_input(error) from None


def bad_input(error: ValidationError) -> BadInput:
    """Pydantic's first complaint, as ours."""
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    return BadInput(".".join(str(part) for part in first["loc"]) or "body", str(first["msg"]).removeprefix("Value error, "))


def number(request: web.Request, name: str = "id") -> int:
    """A number from the path; anything else names nothing."""
    said = request.match_info[name]
    if not (said.isascii() and said.isdigit() and len(said) <= 18):
        raise NotFound("number")
    return int(said)


def reply(value: Any, status: int = 200) -> web.Response:
    """A model, a list of models or a plain value as JSON."""
    body = value.model_dump_json().encode() if isinstance(value, BaseModel) else TypeAdapter(type(value)).dump_json(value)
    return web.Response(status=status, body=body, content_type="application/json")


def page(items: Sequence[Item], limit: int, key: Callable[[Item], list[Any]]) -> Page[Item]:
    """One page out of `limit + 1` fetched items; the cursor carries the last one's sort key."""
    shown = list(items[:limit])
    following = base64.urlsafe_b64encode(json.dumps(key(shown[-1]), default=str).encode()).decode() if len(items) > limit else None
    return Page(items=shown, next=following)


def after(cursor: str | None, length: int) -> list[Any] | None:
    """The sort key in a cursor."""
    if cursor is None:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor.encode()))
    except (ValueError, UnicodeError):
        found = None
    if not isinstance(found, list) or len(found) != length:
        raise BadInput("cursor", "is not one of ours: take it from `next` of the page before")
    return found
