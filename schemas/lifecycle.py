"""A lifecycle is a table. Rule 1: what is not written cannot happen. Rule 2: only this file walks a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from schemas.errors import IllegalMove

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Lifecycle(Generic[State, Event]):
    """The states of one noun and the events that move it."""

    noun: str
    start: State
    moves: Mapping[State, Mapping[Event, State]]

    def next(self, state: State, event: Event) -> State:
        """Where `event` leads from `state`; IllegalMove names what would be allowed."""
        found = self.moves.get(state, {}).get(event)
        if found is None:
            raise IllegalMove(self.noun, state.value, event.value, tuple(e.value for e in self.allowed(state)))
        return found

    def allowed(self, state: State) -> tuple[Event, ...]:
        """The events that may move a thing out of `state`, in the order of the table."""
        return tuple(self.moves.get(state, {}))

    def final(self, state: State) -> bool:
        """Whether nothing leads out of `state`."""
        return not self.moves.get(state)

    def diagram(self) -> str:
        """The table as a mermaid state diagram, for the docs."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.start.value}"]
        for state, moves in self.moves.items():
            lines += [f"    {state.value} --> {to.value}: {event.value}" for event, to in moves.items()]
            if not moves:
                lines.append(f"    {state.value} --> [*]")
        return "\n".join(lines)
