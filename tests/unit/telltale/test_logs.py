"""Logs carry no personal data, by name and by shape."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from telltale import logs
from telltale.logs import without_personal_data


def test_private_facts_and_phone_numbers_are_dropped() -> None:
    event = without_personal_data(
        None, "info", {"event": "sent to +49 170 1234567", "phone": "+491701234567", "case": 7}
    )
    assert event == {"event": "sent to (number)", "phone": "(private)", "case": 7}


@pytest.mark.parametrize(
    "text, kept",
    [
        ("GET /o/YRNh7AAfs190edjpj1OvX9RbVpjBYEnBy7JxrlUWDJQ?x=1", "GET /o/(token)?x=1"),
        ("http://127.0.0.1:8080/invitation/YRNh7AAfs190edjpj1OvX9", "http://127.0.0.1:8080/invitation/(token)"),
        ("key tk_abcdefgh12345678 refused", "key (key) refused"),
        ("jo.muster+car@autohaus-nord.example wrote", "(mail) wrote"),
        ("mqtt://gateway:hunter2@broker.example:1883", "mqtt://gateway:(mail):1883"),
        ("vehicles/08/WTTPH0000NM000017/up/telemetry", "vehicles/08/(vin)/up/telemetry"),
        ("duplicate key\nDETAIL:  Key (email)=(jo) already exists.", "duplicate key\nDETAIL: (private)"),
        (
            "the rule tyre_leak, case 4711, 2026-11-23T08:00:00+00:00, 0123456789abcdef0",
            "the rule tyre_leak, case 4711, 2026-11-23T08:00:00+00:00, 0123456789abcdef0",
        ),
    ],
)
def test_what_looks_private_is_taken_out_and_nothing_else(text: str, kept: str) -> None:
    assert without_personal_data(None, "info", {"event": text})["event"] == kept
    assert without_personal_data(None, "info", {"list": [text], "inner": {"phone": 1, "x": text}}) == {
        "list": [kept],
        "inner": {"phone": "(private)", "x": kept},
    }


class Odd(Exception):
    """As a database driver raises it."""


@pytest.mark.parametrize("way", ["structlog", "logging"])
def test_a_traceback_is_cleaned_as_well(way: str, capsys: pytest.CaptureFixture[str]) -> None:
    root, handlers, level = logging.getLogger(), logging.getLogger().handlers, logging.getLogger().level
    try:
        logs.set_up("info", "json", "test")
        try:
            raise Odd("no such car WTTPH0000NM000017 of +4917604069010\nDETAIL:  Key (email)=(a@b.example) is there")
        except Odd:
            if way == "structlog":
                structlog.get_logger().exception("bug", id="x")
            else:
                logging.getLogger("somebody.else").exception("bug of %s", "jo@b.example")
        line = json.loads(capsys.readouterr().err.strip().splitlines()[-1])
        assert line["level"] == "error"
        assert "Odd: no such car (vin) of (number)" in line["exception"] and "(private)" in line["exception"]
        assert "example" not in str(line) and "WTTPH" not in str(line)
    finally:
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
        root.handlers[:], root.level = handlers, level


def test_a_connection_that_broke_unseen_is_one_line_and_a_fault_of_ours_is_not(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root, handlers, level = logging.getLogger(), list(logging.getLogger().handlers), logging.getLogger().level
    try:
        logs.set_up("info", "json", "test")
        for error in (BrokenPipeError(32, "Broken pipe"), KeyError("a fault")):
            logging.getLogger("asyncio").error(
                "Task exception was never retrieved", exc_info=(type(error), error, None)
            )
        lost, fault = (json.loads(line) for line in capsys.readouterr().err.strip().splitlines())
        assert lost["event"] == "a connection was lost: BrokenPipeError" and "exception" not in lost
        assert fault["event"] == "Task exception was never retrieved" and "KeyError" in fault["exception"]
    finally:
        structlog.reset_defaults()
        structlog.contextvars.clear_contextvars()
        root.handlers[:], root.level = handlers, level
