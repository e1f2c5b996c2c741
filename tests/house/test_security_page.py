"""docs/reference/security.md answers each line of ASVS 5.0, levels 1 and 2, once, and the tests that it names exist."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "reference" / "security.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d+\.\d+\.\d+(?:, \d+\.\d+\.\d+)*) \| ([^|]*) \| ([^|]*)\|([^|]*)\|$", PAGE, re.M)
#: Chapter -> for each section the lines of levels 1 and 2, which are its first ones; a section of level 3 alone has
#: none.
LINES = {
    1: (2, 9, 11, 3, 2),
    2: (3, 3, 4, 1),
    3: (0, 2, 4, 6, 5, 0, 2),
    4: (3, 1, 2, 4),
    5: (1, 3, 2, 3),
    6: (3, 12, 4, 4, 5, 3, 0, 4),
    7: (3, 4, 2, 5, 2, 2),
    8: (2, 3, 1, 1),
    9: (3, 4),
    10: (2, 2, 4, 11, 5, 2, 3),
    11: (2, 3, 3, 4, 1, 1),
    12: (3, 2, 4),
    13: (1, 5, 2, 5),
    14: (2, 4, 3),
    15: (3, 3, 7),
    16: (1, 5, 4, 3, 3),
    17: (1, 4, 2),
}
#: Where our program speaks to other machines than the database and the broker: each of their addresses is a setting.
OUTGOING = {
    "providers/twilio/sending.py",
    "providers/smtp/sending.py",
    "providers/roads/asking.py",
    "telltale/checking/public.py",
    "telltale/checking/texts.py",
    "telltale/bringing_mail.py",  # to our own door
}


def test_each_line_is_answered_once() -> None:
    wanted = [
        f"{chapter}.{section}.{line}"
        for chapter, counts in LINES.items()
        for section, count in enumerate(counts, 1)
        for line in range(1, count + 1)
    ]
    given = Counter(line for lines, *_ in ROWS for line in lines.split(", "))
    assert len(wanted) == 253 and Counter(wanted) == given, (Counter(wanted) - given, given - Counter(wanted))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].partition(",")[0])
def test_an_answer_says_how_or_names_what_shows_it(row: tuple[str, str, str, str]) -> None:
    _, verdict, how, tests = row
    assert verdict.strip() in ("yes", "partly", "no", "–")
    assert how.strip() or "`test_" in tests, "neither a reason nor a test"


def test_every_test_that_is_named_exists() -> None:
    known = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in re.findall(r"def (test_\w+)", path.read_text(encoding="utf-8"))
    }
    assert set(re.findall(r"`(test_\w+)`", PAGE)) - known == set()


def test_no_address_that_somebody_typed_is_ever_asked() -> None:
    """There are no outgoing webhooks.

    Whoever adds one must first refuse private networks and redirects, and connect to the very address that was checked.
    """
    speaks = re.compile(r"ClientSession\(|urlopen\(|aiosmtplib\.|smtplib\.|httpx|requests\.(get|post)")
    rooms = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]) - {
        "proofs"
    }
    found = {
        path.relative_to(ROOT).as_posix()
        for room in rooms
        for path in (ROOT / room).rglob("*.py")
        if speaks.search(path.read_text(encoding="utf-8"))
    }
    assert found == OUTGOING
    sms = (ROOT / "providers" / "twilio" / "sending.py").read_text(encoding="utf-8")
    assert len(re.findall(r"\.(?:get|post)\((?:self|address)", sms)) == sms.count("allow_redirects=False")
