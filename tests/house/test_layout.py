"""The house rules that a linter does not know."""

from __future__ import annotations

import ast
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = (
    "schemas",
    "monitoring",
    "rules",
    "store",
    "actions",
    "providers",
    "gateway",
    "workers",
    "dealer_api",
    "simulator",
    "telltale",
    "proofs",
)
PURE = ("schemas", "rules")


def modules(*rooms: str) -> Iterator[Path]:
    for room in rooms:
        yield from sorted((ROOT / room).rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_services_wait_under_asyncio_timeout_for_wait_for_may_swallow_the_order_to_end() -> None:
    """Of Python 3.11 it does, when what it waits for comes in the same turn.

    Only what is closing, or a program that ends, may be waited for with it.
    """
    found = []
    for path in modules("monitoring", "store", "actions", "providers", "gateway", "workers", "dealer_api", "simulator"):
        for node in ast.walk(ast.parse(path.read_text())):
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func).endswith("wait_for")
                and not re.match(r"[\w.]*close\(|process\.wait\(", ast.unparse(node.args[0]))
            ):
                found.append(f"{_name(path)}:{node.lineno}: {ast.unparse(node)}")
    assert not found, found


@pytest.mark.parametrize("path", [*modules(*PURE)], ids=_name)
def test_words_and_judgement_are_pure(path: Path) -> None:
    """No async, no clock, no files, no environment: whatever they need is an argument."""
    for node in ast.walk(ast.parse(path.read_text())):
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), f"line {node.lineno}: async"
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in ("open", "input", "print"), f"line {node.lineno}: {called}()"
            assert not re.search(
                r"(datetime\.(now|utcnow|today)|date\.today|time\.(time|monotonic|sleep)|\.read_text|\.open)$", called
            ), f"line {node.lineno}: {called}()"


def test_the_environment_is_read_in_one_place() -> None:
    readers = {_name(p) for p in modules(*ROOMS) if re.search(r"\bos\.(environ|getenv)\b", p.read_text())}
    assert readers <= {"telltale/settings.py"}


def test_sql_is_spoken_in_the_store_alone() -> None:
    """The proofs look at the database from outside, so they may speak it too."""
    speaks = re.compile(r"\b(SELECT\s+[\w*(].*\sFROM\s|INSERT\s+INTO\s|UPDATE\s+\w+\s+SET\s|DELETE\s+FROM\s)")
    others = [room for room in ROOMS if room not in ("store", "proofs")]
    guilty = {_name(p) for p in modules(*others) if speaks.search(p.read_text())}
    assert guilty <= {
        "telltale/embedded/postgres.py",
        "simulator/spool.py",
    }  # does its one database exist; the car's own sqlite


def test_a_text_enters_the_outbox_through_one_door() -> None:
    """What draws up a text gives a draft to `actions.outbox`, which words it for whoever reads it.

    The proofs look from outside.
    """
    guilty = {
        f"{_name(path)}:{node.lineno}"
        for path in modules(*(room for room in ROOMS if room not in ("store", "proofs")))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "messages.queue"
        and _name(path) != "actions/outbox.py"
    }
    assert guilty == set()


def test_sql_never_asks_the_database_what_time_it_is() -> None:
    """Business time is an argument; the server's clock knows nothing of a time-lapse.

    It is asked as a witness only: against another clock that may be wrong, and for the day of machine time for which
    what goes can come back.
    """
    witnesses = {
        "store/clock.py": 1,
        "store/witness.py": 1,
        "store/sessions.py": 1,
        "store/migrations/0021_retention.sql": 2,
    }
    clock = re.compile(
        r"\b(now\s*\(\s*\)|current_timestamp|current_date|localtimestamp|clock_timestamp|transaction_timestamp)\b", re.I
    )
    guilty = []
    for path in [*modules("store"), *sorted((ROOT / "store" / "migrations").glob("*.sql"))]:
        for number, line in enumerate(path.read_text().splitlines(), 1):
            code = line.split("--")[0].split("#")[0]
            if clock.search(code) and (
                "sql" in path.suffix or "'" in code or '"' in code or re.match(r"\s*[A-Z]{4,}", code)
            ):
                guilty.append(_name(path))
    assert Counter(guilty) == witnesses


LONGER: dict[str, int] = {}


@pytest.mark.parametrize("path", [*modules(*ROOMS)], ids=_name)
def test_a_file_stays_readable(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGER.get(_name(path), 420)


def test_nothing_is_left_unfinished() -> None:
    marks = re.compile(r"\b(TODO|FIXME|XXX)\b|raise NotImplementedError")
    assert [_name(p) for p in modules(*ROOMS) if marks.search(p.read_text())] == []


def test_tests_are_no_packages() -> None:
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def _tracked() -> list[Path]:
    try:
        result = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is a plain copy, not a git checkout")
    return [ROOT / name for name in result.split("\0") if name and (ROOT / name).is_file()]


def test_no_file_names_a_package_registry() -> None:
    hosts = re.compile(
        r"registry\.npmjs|registry\.yarnpkg|files\.pythonhosted|pypi\.(org|python)|--(extra-)?index-url|^ "
        r"*\"resolved\": *\"http",
        re.M,
    )
    guilty = [
        _name(path)
        for path in _tracked()
        if path != Path(__file__)
        and path.suffix not in (".png", ".gz", ".jpg")
        and hosts.search(path.read_text(errors="replace"))
    ]
    assert guilty == []


def test_third_party_front_end_files_are_not_committed() -> None:
    assert [
        p.name for p in _tracked() if re.search(r"(htmx|uplot|pico|leaflet|swagger).*\.(js|css)$", p.name, re.I)
    ] == []
