"""Road services: how long a drive takes on real roads. Without one, or while it is silent, the estimate stands."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from providers.roads.asking import Roads, Service
from providers.roads.osrm import Osrm
from providers.roads.valhalla import Valhalla
from schemas.errors import Misconfigured

#: What stands before the address says which service it is.
SERVICES: dict[str, type[Osrm] | type[Valhalla]] = {"osrm": Osrm, "valhalla": Valhalla}


class RoadSettings(BaseModel):
    """Who knows the roads."""

    roads_url: Annotated[
        str,
        Field(
            description="road service for drivers' travel times, osrm+http://host:5000 or valhalla+http://host:8002 "
            "(also https); empty: an offline estimate from coordinates"
        ),
    ] = ""


def open_roads(settings: RoadSettings) -> Roads:
    """The service of this address, or the estimate alone. Raises Misconfigured."""
    return Roads(_service(settings.roads_url) if settings.roads_url else None)


def _service(url: str) -> Service:
    name, _, address = url.partition("+")
    if (
        name not in SERVICES
        or not address.startswith(("http://", "https://"))
        or not address.partition("://")[2].strip("/")
    ):
        raise Misconfigured(
            "TELLTALE_ROADS_URL", f"is written {' or '.join(f'{known}+http://host:port' for known in SERVICES)}"
        )
    return SERVICES[name](address.rstrip("/"))
