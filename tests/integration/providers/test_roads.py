"""Travel times from OSRM and Valhalla: HTTP stand-ins that speak the shapes their documents describe, or do not."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from providers.roads import RoadSettings, open_roads
from rules.service.travel import estimate
from schemas.errors import Misconfigured
from schemas.place import Place

HOUSE = Place(latitude=53.5503, longitude=9.9920)
NEAR = Place(latitude=53.5700, longitude=10.0200)
FAR = Place(latitude=53.8655, longitude=10.6866)
ISLAND = Place(latitude=54.1833, longitude=7.8833)  #: no road leads there


def _seconds(one: tuple[float, float], other: tuple[float, float]) -> float | None:
    """The stand-in's own roads, in (latitude, longitude): not our estimate, and one way slower than the other."""
    if one == other:
        return 0.0
    if (ISLAND.latitude, ISLAND.longitude) in (one, other):
        return None
    return round(abs(one[0] - other[0]) * 9_000 + abs(one[1] - other[1]) * 5_000 + (60.4 if one < other else 0.0), 1)


EXPECTED = [
    [
        None if (s := _seconds((a.latitude, a.longitude), (b.latitude, b.longitude))) is None else round(s)
        for b in (HOUSE, NEAR, FAR, ISLAND)
    ]
    for a in (HOUSE, NEAR, FAR, ISLAND)
]


class Service:
    """Both services on one port; `calls` are what was asked, `broken` what they answer instead."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.broken: web.Response | None = None
        self.verbose = False  #: as Valhalla's older servers, which do not know "verbose"

    async def osrm(self, request: web.Request) -> web.Response:
        where = [tuple(float(x) for x in pair.split(","))[::-1] for pair in request.match_info["where"].split(";")]
        self.calls.append(where)
        if self.broken is not None:
            return self.broken
        if len(where) > 100:
            return web.json_response({"code": "TooBig", "message": "Too many table coordinates"}, status=400)
        chosen = {name: [where[int(n)] for n in request.query[name].split(";")] for name in ("sources", "destinations")}
        durations = [[_seconds(a, b) for b in chosen["destinations"]] for a in chosen["sources"]]
        return web.json_response({"code": "Ok", "durations": durations, "sources": [], "destinations": []})

    async def valhalla(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.calls.append(body)
        if self.broken is not None:
            return self.broken
        sources, targets = ([(p["lat"], p["lon"]) for p in body[name]] for name in ("sources", "targets"))
        if len(sources) * len(targets) > 2_500 or body["costing"] != "auto":
            return web.json_response(
                {"error_code": 150, "error": "Exceeded max locations", "status_code": 400}, status=400
            )
        times = [[_seconds(a, b) for b in targets] for a in sources]
        if not self.verbose and body.get("verbose") is False:
            return web.json_response(
                {
                    "algorithm": "costmatrix",
                    "units": "kilometers",
                    "sources_to_targets": {"durations": times, "distances": times},
                }
            )
        cells = [
            [{"from_index": i, "to_index": j, "time": t, "distance": t} for j, t in enumerate(row)]
            for i, row in enumerate(times)
        ]
        return web.json_response({"algorithm": "costmatrix", "units": "kilometers", "sources_to_targets": cells})


@asynccontextmanager
async def _serving() -> AsyncIterator[tuple[Service, str]]:
    service, app = Service(), web.Application()
    app.router.add_get("/table/v1/driving/{where}", service.osrm)
    app.router.add_post("/sources_to_targets", service.valhalla)
    async with TestServer(app) as server:
        yield service, f"http://{server.host}:{server.port}"


@pytest.fixture(params=["osrm", "valhalla", "valhalla-older"])
async def road(request: pytest.FixtureRequest) -> AsyncIterator[Any]:
    async with _serving() as (service, url):
        service.verbose = request.param.endswith("older")
        roads = open_roads(RoadSettings(roads_url=f"{request.param.partition('-')[0]}+{url}/"))
        yield service, roads
        await roads.close()


async def test_the_matrix_is_the_services_own_with_none_where_no_road_leads(road: Any) -> None:
    service, roads = road
    assert await roads.matrix([HOUSE, NEAR, FAR, ISLAND]) == EXPECTED
    assert len(service.calls) == 1 and roads.failures == 0


async def test_a_day_of_more_places_than_a_service_takes_at_once_is_asked_in_blocks(road: Any) -> None:
    service, roads = road
    many = [Place(latitude=round(53.5 + n / 1000, 5), longitude=round(9.9 + n / 700, 5)) for n in range(95)]
    found = await roads.matrix(many)
    assert roads.failures == 0 and len(service.calls) == 9
    wanted = [[round(_seconds((a.latitude, a.longitude), (b.latitude, b.longitude)) or 0) for b in many] for a in many]
    assert found == wanted


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 500, "text": "oops"},
        {"status": 200, "text": "<html>a captive portal</html>", "content_type": "text/html"},
        {
            "status": 200,
            "text": json.dumps({"code": "Ok", "durations": [[0]], "sources_to_targets": [[{"time": 0}]]}),
            "content_type": "application/json",
        },
        {
            "status": 200,
            "text": json.dumps({"code": "Ok", "durations": "soon", "sources_to_targets": "soon"}),
            "content_type": "application/json",
        },
        {"status": 200, "text": "[]", "content_type": "application/json"},
        {
            "status": 400,
            "text": json.dumps({"code": "InvalidQuery", "error_code": 120}),
            "content_type": "application/json",
        },
        {"status": 302, "headers": {"Location": "/elsewhere"}},
        {
            "status": 200,
            "text": json.dumps(
                {
                    "code": "Ok",
                    "durations": [[0, -5], ["x", 0]],
                    "sources_to_targets": {"durations": [[0, -5], ["x", 0]]},
                }
            ),
            "content_type": "application/json",
        },
    ],
)
async def test_whatever_the_service_answers_there_are_travel_times(road: Any, answer: dict[str, Any]) -> None:
    service, roads = road
    service.broken = web.Response(**answer)
    assert await roads.matrix([HOUSE, NEAR]) == estimate([HOUSE, NEAR])
    assert roads.failures == 1


async def test_a_service_that_is_not_there_is_no_fault_of_the_day() -> None:
    async with _serving() as (_, url):
        pass
    roads = open_roads(RoadSettings(roads_url=f"osrm+{url}"))
    assert await roads.matrix([HOUSE, NEAR]) == estimate([HOUSE, NEAR])
    await roads.close()


async def test_without_an_address_it_is_estimated() -> None:
    assert await open_roads(RoadSettings()).matrix([HOUSE, NEAR]) == estimate([HOUSE, NEAR])


@pytest.mark.parametrize(
    "url", ["http://host:5000", "osrm+ftp://host", "osrm", "valhalla+http://", "google+https://maps"]
)
async def test_an_address_that_says_no_service_is_named_at_the_start(url: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        open_roads(RoadSettings(roads_url=url))
    assert refused.value.setting == "TELLTALE_ROADS_URL"
