"""How a switch takes a guard out: by its name, which must be there.

A guard that was renamed would else stay in, and its proof stay green.
"""

from __future__ import annotations

from typing import Any


def swap(owner: Any, name: str, instead: Any) -> None:
    """`owner.name` is `instead` from now on. Raises AttributeError where there is no such thing."""
    getattr(owner, name)
    setattr(owner, name, instead)
