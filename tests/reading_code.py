"""Reading handlers as code: which functions of its own file a handler reaches, and what is written in them."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any


def nodes_of(handler: Callable[..., Any], seen: set[Any] | None = None) -> Iterator[tuple[ModuleType, ast.AST]]:
    """Every node of the handler and of the helpers of its own file that it reaches, with the module whose names they
    use.
    """
    seen = seen if seen is not None else set()
    plain = inspect.unwrap(handler)
    if plain in seen:
        return
    seen.add(plain)
    home = inspect.getmodule(plain)
    assert home is not None
    tree = list(ast.walk(ast.parse(textwrap.dedent(inspect.getsource(plain)))))
    own = {node.id for node in tree if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)} | {
        node.arg for node in tree if isinstance(node, ast.arg)
    }
    for node in tree:
        yield home, node
        if isinstance(node, ast.Name) and node.id not in own:
            helper = getattr(home, node.id, None)
            if inspect.isfunction(helper) and helper.__module__ == home.__name__:
                yield from nodes_of(helper, seen)


def asked_for(handler: Callable[..., Any]) -> tuple[set[str], set[str]]:
    """The names that a page's handler asks its query for, and its form."""
    query, form = set(), set()
    for _, node in nodes_of(handler):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in ("get", "getall")
            and node.args
        ):
            name = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
            of = ast.unparse(node.func.value)
            if isinstance(name, str) and of.endswith((".query", "rel_url")):
                query.add(name)
            elif isinstance(name, str) and (of in ("said", "fields", "form", "found") or "form" in of):
                form.add(name)
    return query, form
