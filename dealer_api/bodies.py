"""Bodies, parameters and cursors: from bytes to models and back, with errors that name the field."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from typing import Annotated, Any, Generic, TypeVar

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError
from multidict import MultiMapping
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
    WrapValidator,
    field_validator,
)

from dealer_api.error_responses import Handler, NotJson
from schemas.errors import BadInput, NotFound
from schemas.moment import Moment
from schemas.text import storable

Model = TypeVar("Model", bound=BaseModel)
Item = TypeVar("Item")
Key = TypeVar("Key")
Value = TypeVar("Value")

LARGEST_ID = 2**63 - 1  #: of a row: what PostgreSQL calls bigint
_FIRST, _LAST = (
    date(1970, 1, 1),
    date(2199, 12, 31),
)  #: of the days that anybody may mean; a day more or less never leaves the calendar

#: The number of a row.
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]


def _on_the_calendar(moment: datetime) -> datetime:
    if not _FIRST <= moment.date() <= _LAST:
        raise ValueError(f"a time must lie between {_FIRST.year} and {_LAST.year}")
    return moment


def _on_the_wall(wall: time) -> time:
    if wall.tzinfo is not None:
        raise ValueError("a time of day has no zone, as in 20:00")
    return wall


#: An instant, with its zone.
When = Annotated[Moment, AfterValidator(_on_the_calendar)]
#: A day of the calendar.
Day = Annotated[date, Field(ge=_FIRST, le=_LAST)]
#: What a clock on the wall shows.
WallTime = Annotated[time, AfterValidator(_on_the_wall)]


class _NeverNull:
    """What is left out stays as it is; what is sent has a value."""

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        found = handler(source)
        return found["schema"] if found["type"] == "nullable" else found


#: A field of changes that may be left out, but not be emptied: `name: Sent[str] = None`.
Sent = Annotated[Value | None, _NeverNull]


class _Storable(BaseModel):
    """Each text in it is one that a column takes."""

    @field_validator("*")
    @classmethod
    def _can_be_stored(cls, value: Any) -> Any:
        try:
            for part in value if isinstance(value, tuple | list) else (value,):
                if isinstance(part, str):
                    storable(part, "")
        except BadInput as error:
            raise ValueError(error.reason) from None
        return value


class Body(_Storable):
    """What a caller may send: a field we do not know is refused, so that nobody believes it was stored."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False, str_strip_whitespace=True)


class Query(_Storable):
    """What a caller may ask in the address."""

    model_config = ConfigDict(extra="forbid")


def _opened(cursor: Any, inside: Callable[[Any], Any]) -> Any:
    """The sort key in a cursor, each part of it of its own type."""
    try:
        if cursor is None:
            return None
        found = json.loads(base64.urlsafe_b64decode(cursor.encode())) if len(cursor) <= _LONGEST_CURSOR else None
        if isinstance(found, list):
            return inside(found)
    except (ValueError, RecursionError):  # no base64, no JSON, other types
        pass
    raise ValueError("is not one of ours: take it from `next` of the page before")


_LONGEST_CURSOR = 1_000
#: The sort key of the last row of the page before.
Cursor = Annotated[
    Key | None,
    WrapValidator(_opened),
    WithJsonSchema({"anyOf": [{"type": "string", "maxLength": _LONGEST_CURSOR}, {"type": "null"}]}),
]


class Paged(Query, Generic[Key]):
    """A list in pages: `cursor` is the `next` of the page before."""

    cursor: Cursor[Key] = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class Page(BaseModel, Generic[Item]):
    """One page of a list; `next` is null on the last."""

    items: list[Item]
    next: str | None = None


class Nothing(Body):
    """No body is needed."""


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
    return BadInput(
        ".".join(str(part) for part in first["loc"]) or "body", str(first["msg"]).removeprefix("Value error, ")
    )


def number(request: web.Request, name: str = "id") -> int:
    """A number from the path; anything else names nothing."""
    text = request.match_info[name]
    found = row_number(text)
    if found is None:
        raise NotFound("number")
    return found


async def bare_number(request: web.Request) -> int:
    """The number from the path of a call that needs no body: a body that says something is refused first."""
    await read(request, Nothing)
    return number(request)


def row_number(text: str) -> int | None:
    """A row's number as a person or a link writes it; None when it can be none. Other alphabets have digits too: they
    are not ours.
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None


def small_number(text: str) -> int:
    """How many, forward or back, of up to four digits; 0 when it is no such number."""
    return int(text) if re.fullmatch(r"-?[0-9]{1,4}", text) else 0


_WHEN, _WALL_TIME = TypeAdapter(When), TypeAdapter(WallTime)


def when(text: str, field: str) -> datetime:
    """An instant out of a form, with its zone."""
    try:
        return _WHEN.validate_python(text)
    except ValidationError:
        raise BadInput(field, "is a time with its zone, as in 2026-11-21T10:15:00Z") from None


def wall_time(text: str, field: str) -> time:
    """A time of day out of a form."""
    try:
        return _WALL_TIME.validate_python(text)
    except ValidationError:
        raise BadInput(field, "is a time of day such as 20:00") from None


def reply(value: Any, status: int = 200) -> web.Response:
    """A model, a list of models or a plain value as JSON."""
    body = (
        value.model_dump_json().encode() if isinstance(value, BaseModel) else TypeAdapter(type(value)).dump_json(value)
    )
    return web.Response(status=status, body=body, content_type="application/json")


def page(items: Sequence[Item], limit: int, key: Callable[[Item], list[Any]]) -> Page[Item]:
    """One page out of `limit + 1` fetched items; the cursor carries the last one's sort key."""
    shown = list(items[:limit])
    following = (
        base64.urlsafe_b64encode(json.dumps(key(shown[-1]), default=str).encode()).decode()
        if len(items) > limit
        else None
    )
    return Page(items=shown, next=following)


async def posted(request: web.Request) -> MultiMapping[str | bytes | bytearray | web.FileField]:
    """A form as it came, uploads too; what is no form is BadInput."""
    try:
        return await request.post()
    except (
        ValueError,
        LookupError,
        HttpProcessingError,
    ):  # bytes that are not of their charset, a charset nobody knows, a broken multipart
        raise BadInput("form", "cannot be read") from None


async def fields(request: web.Request) -> dict[str, str]:
    """The text fields of a form, trimmed; one that cannot be stored is refused."""
    return {
        name: storable(value, name).strip() for name, value in (await posted(request)).items() if isinstance(value, str)
    }


@web.middleware
async def storable_queries(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever a page or a call is asked for in its address ends in a query: no text gets that far that no column
    takes.
    """
    for name, value in request.query.items():
        storable(value, name)
    return await handler(request)
