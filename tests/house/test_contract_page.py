"""The integrators' page says what the models say."""

from __future__ import annotations

import jsonschema
import pytest

from schemas.contract import asyncapi, json_schemas
from telltale.contract_page import FOLDER, files


@pytest.mark.parametrize("name", sorted(files()))
def test_the_page_is_as_fresh_as_the_models(name: str) -> None:
    assert (FOLDER / name).read_text() == files()[name], "run python -m telltale.contract_page"


def test_every_schema_is_a_valid_json_schema() -> None:
    for schema in json_schemas().values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_the_example_of_the_contract_is_valid() -> None:
    sample = {
        "boot": 41,
        "seq": 1234,
        "oldest": 1190,
        "ts": "2026-11-21T10:15:02.120Z",
        "signals": {"Vehicle.Speed": 83.1, "Vehicle.IsMoving": None},
    }
    jsonschema.validate(sample, json_schemas()["Telemetry"])


def test_every_operation_leads_to_a_channel() -> None:
    document = asyncapi()
    for operation in document["operations"].values():
        assert operation["channel"]["$ref"].rsplit("/", maxsplit=1)[-1] in document["channels"]
