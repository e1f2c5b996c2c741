"""Every page of the desk in a made-up language whose every message stands in brackets: what stands outside of them, and
was not written by an owner, a colleague or a car, was forgotten.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser

import aiohttp
import pytest

from dealer_api import reader
from dealer_api.desk.languages.catalogue import PSEUDO
from dealer_api.desk.languages.reading import CODE, READ
from dealer_api.route import PUBLIC
from telltale.demo_data import PASSWORD
from tests.acceptance.conftest import World
from tests.acceptance.test_desk_pages import PAGES, ROLES, address

_FACE = re.compile(r"[A-Z]{2}")  #: two letters in place of a picture
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]+")
#: What is called the same everywhere, or is no word: units, days and months as a clock writes them, formats.
_SAME = frozenset(
    [
        "Mo",
        "Di",
        "Mi",
        "Do",
        "Fr",
        "Sa",
        "So",
        "Jan",
        "Feb",
        "März",
        "Apr",
        "Mai",
        "Juni",
        "Juli",
        "Aug",
        "Sept",
        "Okt",
        "Nov",
        "Dez",
        "Montag",
        "November",
        "km",
        "kPa",
        "bar",
        "psi",
        "min",
        "Telltale",
        "SMS",
        "CSV",
        "VIN",
        "API",
        "JSON",
        "sha",
        "rpm",
        "kWh",
        "Uhr",
        "kOhm",
        "English",
        "Deutsch",
        "Español",
    ]
)
#: Columns in which rules and acts write sentences of ours: what stands in them is no data of anybody's.
_OURS = frozenset(
    {("cases", "title"), ("cases", "state"), ("bookings", "state"), ("legs", "state"), ("cases", "origin")}
)
#: What a program or a list calls it, and the proper names of a country: its lands and its holidays.
_NAMES = re.compile(
    r"[a-z]+:[a-z]+|consent_\w+|email|language|name|profile|title|vin|Bayern|Augsburg"
    r"|Baden-Württemberg|Brandenburg|Bremen|Niedersachsen|Rheinland-Pfalz|Saarland|Sachsen-Anhalt|Hessen|Mecklenburg-Vorpommern"
    r"|Nordrhein-Westfalen|Sachsen|Schleswig-Holstein|Thüringen|Christmas Day|New Year's Day|Second Day of Christmas"
)
_EMPTY = frozenset({"input", "img", "br", "hr", "link", "meta", "path", "circle", "rect", "line", "polyline", "wbr"})


class Read(HTMLParser):
    """What people read or hear of a page: texts and the attributes that are read out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._code: list[str] = []
        self._foreign: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in CODE:
            self._code.append(tag)
        if tag not in _EMPTY and (self._foreign or (tag != "html" and dict(attrs).get("lang"))):
            self._foreign.append(tag)
        self.found += [value for name, value in attrs if name in READ and value]
        kinds = dict(attrs)
        if tag == "input" and kinds.get("type") in ("submit", "button") and kinds.get("value"):
            self.found.append(kinds["value"] or "")

    def handle_endtag(self, tag: str) -> None:
        if self._code and tag == self._code[-1]:
            self._code.pop()
        if self._foreign and tag == self._foreign[-1]:
            self._foreign.pop()

    def handle_data(self, data: str) -> None:
        if not self._code and not self._foreign and data.strip():
            self.found.append(" ".join(data.split()))


def outside(text: str) -> str:
    """What is left when everything in brackets is taken away, from the innermost on."""
    while (less := re.sub(r"«[^«»]*»", " ", text)) != text:
        text = less
    return text


def _asked(who: frozenset[str]) -> str:
    """Where nobody is known, a browser says what it reads."""
    return f"?language={PSEUDO}" if who == PUBLIC else ""


@pytest.fixture
def pseudo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reader.LANGUAGES, PSEUDO, "Pseudo")


@pytest.fixture
async def words_of_people(world: World) -> set[str]:
    """Each word that stands in the database, where people and cars write."""
    found: set[str] = set()
    async with world.admin.acquire() as connection:
        rows = await connection.fetch("SELECT reason FROM history WHERE new IN ('dismissed', 'cancelled')")
        found |= {word.casefold() for row in rows for word in _WORD.findall(row["reason"])}
        columns = await connection.fetch(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public' "
            "AND data_type IN ('text', 'jsonb')"
        )
        for table, column in columns:
            if (table, column) not in _OURS and table != "history":
                rows = await connection.fetch(f'SELECT DISTINCT "{column}"::text AS x FROM "{table}" LIMIT 500')
                found |= {word.casefold() for row in rows if row["x"] for word in _WORD.findall(row["x"])}
    return found


async def test_no_word_of_ours_stands_outside_of_the_catalogue(
    world: World, pseudo: None, words_of_people: set[str]
) -> None:
    async with world.admin.acquire() as connection:
        await connection.execute("UPDATE staff SET language = $1", PSEUDO)
    forgotten: dict[str, set[str]] = {}
    for role in ROLES:
        async with aiohttp.ClientSession(world.url, cookie_jar=aiohttp.CookieJar(unsafe=True)) as client:
            async with client.post(
                "/api/v1/session", json={"email": f"{role}@nordlicht.example", "password": PASSWORD}
            ) as answer:
                assert answer.status == 201
            for route in PAGES:
                if route.who != PUBLIC and role not in route.who or route.path.endswith((".csv", ".json", "/export")):
                    continue
                async with client.get(address(route.path, world) + _asked(route.who), allow_redirects=False) as answer:
                    if answer.status != 200 or answer.content_type != "text/html":
                        continue
                    page = Read()
                    page.feed(await answer.text())
                for text in page.found:
                    rest = outside(text)
                    left = [
                        w
                        for w in _WORD.findall(rest)
                        if w.casefold() not in words_of_people and w not in _SAME and not _FACE.fullmatch(w)
                    ]
                    if left and not _NAMES.fullmatch(rest.strip()):
                        forgotten.setdefault(rest.strip(), set()).add(route.path)
    assert not forgotten, "\n".join(f"{sorted(paths)}: {text}" for text, paths in sorted(forgotten.items()))
