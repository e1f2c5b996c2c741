"""Values for a door: what its schema allows, and what nobody in their right mind sends."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

Schema = Mapping[str, Any]
Given = Mapping[str, Any]  #: for a field of this name take this value, or what this makes

NUL, HALF, LONG = "a\x00b", "a\ud800b", "x" * 5_000
#: Texts that have broken somebody before: other scripts, direction marks, line ends, quotes, templates, formulas.
TEXTS = (
    NUL,
    HALF,
    LONG,
    "",
    " ",
    "\r\nSet-Cookie: a=b",
    "'; DROP TABLE cases; --",
    "{{7*7}}${7*7}",
    "<script>alert(1)</script>",
    "=1+1",
    "٣²",
    "\u202eabc",
    "🚗" * 30,
    "%00",
    "../../etc/passwd",
    "null",
    "-1",
    "NaN",
    "a\x1bb",
    "\ufeff",
)
NUMBERS = (0, -1, 2**31, 2**63 - 1, 2**63, 10**30, 10**4_000, 1.5, 1e308, float("nan"), float("inf"), True)
TIMES = (
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "1969-12-31T23:59:59Z",
    "2026-03-29T02:30:00",
    "2026-02-30T00:00:00Z",
    "24:00",
    "20:00+02:00",
    "0001-01-01",
    "9999-12-31",
)
ODD: tuple[Any, ...] = (None, [], {}, [1], {"a": 1}, *NUMBERS, *TEXTS, *TIMES)
#: The same as text, for addresses and forms.
ODD_TEXTS = tuple(dict.fromkeys((*TEXTS, *TIMES, *(str(n) for n in NUMBERS if n is not True), "9" * 40)))
#: What a cursor may carry when its length is right and its parts are not.
ODD_KEYS: tuple[Any, ...] = (
    ["x"],
    ["a", " x"],
    ["x", "x", "x"],
    [None],
    [2**63],
    [{}],
    ["2026-01-01", 1],
    [1, "0001-01-01T00:00:00+14:00", 1],
    [NUL, 1],
    [[1]],
    {"a": 1},
    [1.5],
    [],
    None,
)


def cursor(key: Any) -> str:
    """A cursor as ours look."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode()


class Maker:
    """Values that a schema allows; `given` has rows that exist and words that mean something, so that a call gets
    further than a refusal.
    """

    def __init__(self, definitions: Mapping[str, Schema], luck: random.Random, given: Given, now: datetime) -> None:
        self._definitions, self._luck, self._given, self._now = definitions, luck, given, now

    def value(self, schema: Schema, name: str = "") -> Any:
        """One value."""
        if name in self._given:
            found = self._given[name]
            return found() if callable(found) else found
        schema = self._resolved(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self._luck.choice(schema["enum"])
        if "anyOf" in schema:
            return self.value(
                self._luck.choice([one for one in schema["anyOf"] if one.get("type") != "null"] or schema["anyOf"]),
                name,
            )
        match schema.get("type"):
            case "integer" | "number":
                return self._number(schema)
            case "boolean":
                return self._luck.random() < 0.5
            case "array":
                return [self.value(schema.get("items", {}), name) for _ in range(max(1, schema.get("minItems", 1)))]
            case "object":
                return self.body(schema)
            case "null":
                return None
            case _:
                return self._text(schema)

    def body(self, schema: Schema, leave_out: float = 0.0) -> dict[str, Any]:
        """An object with all that is required, and of the rest each field unless luck leaves it out."""
        schema = self._resolved(schema)
        needed = schema.get("required", ())
        return {
            name: self.value(what, name)
            for name, what in schema.get("properties", {}).items()
            if name in needed or self._luck.random() >= leave_out
        }

    def fields(self, schema: Schema) -> Sequence[str]:
        """The names of an object's fields."""
        return list(self._resolved(schema).get("properties", {}))

    def _resolved(self, schema: Schema) -> Schema:
        if "$ref" not in schema:
            return schema
        return {
            **self._definitions[schema["$ref"].rpartition("/")[2]],
            **{key: value for key, value in schema.items() if key != "$ref"},
        }

    def _number(self, schema: Schema) -> int:
        low, high = schema.get("minimum", 1), schema.get("maximum", 1_000)
        return self._luck.randint(int(low), int(min(high, low + 1_000)))

    def _text(self, schema: Schema) -> str:
        match schema.get("format"):
            case "date-time":
                return (self._now + timedelta(minutes=self._luck.randint(60, 20_000))).astimezone(UTC).isoformat()
            case "date":
                return (self._now + timedelta(days=self._luck.randint(0, 20))).date().isoformat()
            case "wall-time":
                return f"{self._luck.randint(0, 23):02}:{self._luck.choice((0, 15, 30, 45)):02}"
        words = " ".join(self._luck.choice(("brake", "Öl", "noise", "late", "coche", "Tür")) for _ in range(3))
        return words[: schema.get("maxLength", 200)].strip().ljust(schema.get("minLength", 0), "x")
