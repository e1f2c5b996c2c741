"""Who calls something of ours with five values or more says which is which: a reader must not count commas."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = (
    "actions", "dealer_api", "gateway", "monitoring", "proofs", "providers", "rules", "schemas", "simulator", "store",
    "telltale", "workers",
)  # fmt: skip
MOST = 4
#: Each message goes through these, or they are tables and formulas whose columns are read one below the other.
SPARED = (
    "gateway/intake/",
    "rules/engine/",
    "rules/detectors/",
    "simulator/",
    "schemas/signal.py",
    "telltale/demo_data.py",
    "dealer_api/routes.py",
)


def test_five_values_have_names() -> None:
    ours = {path: _defined(ast.parse(path.read_text())) for room in ROOMS for path in (ROOT / room).rglob("*.py")}
    found = []
    for path in ours:
        name = path.relative_to(ROOT).as_posix()
        if name.startswith(SPARED):
            continue
        tree = ast.parse(path.read_text())
        known = ours[path] | _imported(tree)
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if (
                len(call.args) > MOST
                and _callee(call) in known
                and not any(isinstance(a, ast.Starred) for a in call.args)
            ):
                found.append(f"{name}:{call.lineno}: {ast.unparse(call.func)}")
    assert found == []


def _defined(tree: ast.Module) -> set[str]:
    """Functions and classes of this file that take their arguments by name, too."""
    return {
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        or (
            isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and not node.args.posonlyargs
            and not node.args.vararg
        )
    }


def _imported(tree: ast.Module) -> set[str]:
    """`name` and `module.name` of what comes from a room of ours."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or (node.module or "").partition(".")[0] not in ROOMS:
            continue
        for alias in node.names:
            module = ROOT / (node.module or "").replace(".", "/") / f"{alias.name}.py"
            if module.exists():
                found |= {f"{alias.asname or alias.name}.{name}" for name in _defined(ast.parse(module.read_text()))}
                continue
            home = ROOT / f"{(node.module or '').replace('.', '/')}.py"
            if home.exists() and alias.name in _defined(ast.parse(home.read_text())):
                found.add(alias.asname or alias.name)
    return found


def _callee(call: ast.Call) -> str:
    return ast.unparse(call.func) if isinstance(call.func, ast.Name | ast.Attribute) else ""
