"""Logs: one line an event, JSON for machines, colours for people, no personal data in either.

Whoever writes a log line says ids: of a case, a vehicle (never its VIN), a dealer. What slips in all the same, in an
exception of a library for instance, is taken out here, last of all, traceback included.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from monitoring import tracing

# Names of facts that are about a person or a car, or open a door; their values never reach a log.
PRIVATE = frozenset(
    {
        "phone",
        "email",
        "name",
        "address",
        "body",
        "to",
        "to_address",
        "from_address",
        "password",
        "token",
        "secret",
        "link",
        "url",
        "vin",
        "plate",
        "owner_name",
        "words",
        "cookie",
        "authorization",
    }
)
#: The same by their looks, wherever they hide. What a database says of a row ("DETAIL: Key (email)=(…)") is a person's
#: more often than not.
_LOOKS = (
    (re.compile(r"(DETAIL|CONTEXT): .*"), r"\1: (private)"),
    (re.compile(r"[\w.%+-]+@[\w-]+(\.[\w-]+)+"), "(mail)"),
    (re.compile(r"\+\d[\d ()/-]{6,}\d"), "(number)"),
    (re.compile(r"/(o|d|f|p|invitation)/[\w-]{16,}"), r"/\1/(token)"),
    (re.compile(r"\btk_[\w-]{8,}"), "(key)"),
    (re.compile(r"(?<![A-Z0-9])(?=[A-Z]*\d)(?=\d*[A-Z])[A-HJ-NPR-Z0-9]{17}(?![A-Z0-9])"), "(vin)"),
)
#: One look at each string: nearly all have nothing of the kind, and there is a line for each request.
_SUSPECT = re.compile(r"[@+]|DETAIL|CONTEXT|tk_|/(?:o|d|f|p|invitation)/|[A-Z0-9]{17}")


def set_up(level: str, style: str, service: str) -> None:
    """To standard error, always: standard output belongs to the command."""
    console = style == "console" or (style == "auto" and sys.stderr.isatty())
    renderer: Any = structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        with_trace,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,  # before the next: a traceback's last line says what it was about
        without_personal_data,
    ]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.getLogger("asyncio").addFilter(_no_riddle)
    logging.getLogger("asyncpg.pool").setLevel(
        logging.ERROR
    )  # an outage is said once by ours, not with a traceback at each try of a pool's


def _no_riddle(record: logging.LogRecord) -> bool:
    """A connection that broke while nobody was looking at it is one line: asyncio shows it with all its insides."""
    error = record.exc_info[1] if record.exc_info else None
    if isinstance(error, OSError):
        record.msg, record.args, record.exc_info = f"a connection was lost: {type(error).__name__}", None, None
    return True


def with_trace(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """The trace in which it happened, where there are traces."""
    trace = tracing.carried()
    if trace is not None:
        event["trace"] = trace.split("-")[1]
    return event


def without_personal_data(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop what is private by name, and what looks like it wherever it hides."""
    for key, value in event.items():
        if not key.startswith("_"):  # the logging library's own
            event[key] = "(private)" if key in PRIVATE else _cleaned(value)
    return event


def _cleaned(value: Any) -> Any:
    match value:
        case str():
            if _SUSPECT.search(value):
                for looks, instead in _LOOKS:
                    value = looks.sub(instead, value)
            return value
        case dict():
            return {key: "(private)" if key in PRIVATE else _cleaned(one) for key, one in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_cleaned(one) for one in value]
        case bool() | int() | float() | None:
            return value
        case _:
            return _cleaned(str(value))
