"""The conversation with one owner, both ways."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Direction(StrEnum):
    """Who wrote it."""

    OUT = "out"
    IN = "in"


class Line(BaseModel):
    """One line of a conversation as the desk shows it."""

    model_config = ConfigDict(frozen=True)

    direction: Direction
    body: str
    at: datetime
    kind: str
    state: str
    author: str | None
    reason: str | None = None  #: why it waits, failed or was cancelled


class Reply(BaseModel):
    """A text that came in: (channel, provider_id) is unique, so that a repeated webhook counts once."""

    model_config = ConfigDict(frozen=True)

    channel: str
    provider_id: str
    from_address: str
    to_address: str
    body: str
    received_at: datetime
