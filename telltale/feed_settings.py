"""Where cars of feeds are heard."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, SecretStr


class FeedSettings(BaseModel):
    """The settings of that."""

    feeds_url: Annotated[
        SecretStr,
        Field(
            description="MQTT broker at which cars of feeds (OVMS, TeslaMate, …) are heard, "
            "mqtt://user:password@host:1883 or mqtts://; it may be that of MQTT_URL, where that lets their devices in. "
            "Without it none are heard by MQTT"
        ),
    ] = SecretStr("")
    feeds_host: Annotated[
        str, Field(description="where the gateway's door for feeds by HTTPS listens; a proxy with TLS stands before it")
    ] = "127.0.0.1"
    feeds_port: Annotated[
        int | None, Field(ge=1, le=65535, description="its port; without one there is no such door")
    ] = None
