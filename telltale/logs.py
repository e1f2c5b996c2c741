"""Logs: one line an event, JSON for machines, colours for people, no personal data in either."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

# Names of facts that are about a person or open a door; their values never reach a log.
PRIVATE = frozenset(
    {"phone", "email", "name", "address", "body", "to", "to_address", "from_address", "password", "token", "secret", "link", "url"}
)
_NUMBER = re.compile(r"\+\d[\d ()/-]{6,}\d")


def set_up(level: str, style: str, service: str) -> None:
    """To standard error, always: standard output belongs to the command."""
    console = style == "console" or (style == "auto" and sys.stderr.isatty())
    renderer: Any = structlog.dev.ConsoleRenderer() if console else structlog.processors.JSONRenderer()
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        without_personal_data,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.format_exc_info, renderer],
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


def without_personal_data(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Drop what is private by name, and phone numbers wherever they hide."""
    for key, value in event.items():
        if key in PRIVATE:
            event[key] = "(private)"
        elif isinstance(value, str) and "+" in value:
            event[key] = _NUMBER.sub("(number)", value)
    return event
