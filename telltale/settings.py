"""Every setting, and the only place that reads the environment."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from providers.register import ProviderSettings, set_up
from schemas.errors import Misconfigured
from telltale.embedded.broker_tls import BrokerTls
from telltale.feed_settings import FeedSettings
from telltale.home import usual_home
from telltale.photos import PhotoSettings
from telltale.share import share_of

PREFIX = "TELLTALE_"
#: Names that the rest of the world uses too.
PLAIN = {
    "database_url": "DATABASE_URL",
    "database_password": "DATABASE_PASSWORD",
    "mqtt_url": "MQTT_URL",
    "notify_socket": "NOTIFY_SOCKET",
    "watchdog_usec": "WATCHDOG_USEC",
}
HEALTH_PORTS = {"gateway": 9801, "workers": 9802, "dealer-api": 9803, "broker": 9804}
LOOPBACK = ("127.0.0.1", "localhost", "::1")


class Settings(PhotoSettings, FeedSettings, ProviderSettings, BaseSettings):
    """Read once at the start. Each field's description is its line in docs/reference/settings.md."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    database_url: Annotated[
        SecretStr | None,
        Field(
            validation_alias="DATABASE_URL",
            description="PostgreSQL 15 or newer; without it the embedded one is started",
        ),
    ] = None
    database_password: Annotated[
        SecretStr,
        Field(
            validation_alias="DATABASE_PASSWORD",
            description=(
                "password of the account in DATABASE_URL, as it is: in the address itself `@`, `/` and others "
                "are written %40, %2F …"
            ),
        ),
    ] = SecretStr("")
    mqtt_url: Annotated[
        SecretStr | None,
        Field(
            validation_alias="MQTT_URL",
            description=(
                "MQTT broker, mqtt://user:password@host:1883, or mqtts://; several hosts of one broker as "
                "host-a:1883,host-b:1883. Without it the embedded one is started"
            ),
        ),
    ] = None
    cars_url: Annotated[
        str,
        Field(
            description=(
                "how cars reach the broker where that is not MQTT_URL, mqtts://host:8883: told at enrolment, "
                "tried by `telltale check`"
            )
        ),
    ] = ""
    mqtt_version: Annotated[
        Literal[4, 5],
        BeforeValidator(lambda text: int(text) if str(text).isdigit() else text),
        Field(
            description=(
                "protocol of the gateway's sessions: 4 is MQTT 3.1.1 (the embedded broker), 5 where the broker has it"
            )
        ),
    ] = 4
    mqtt_ca: Annotated[
        Path | None,
        Field(
            description=(
                "file of the authorities (PEM) that may have signed the certificate of an mqtts:// broker; "
                "without it those of the system"
            )
        ),
    ] = None
    mqtt_cert: Annotated[
        Path | None,
        Field(description="file of the certificate (PEM) that the gateway shows to a broker that asks for one"),
    ] = None
    mqtt_key: Annotated[
        Path | None,
        Field(
            description=(
                "file of the key of TELLTALE_MQTT_CERT, without a password; without it the key stands in the same file"
            )
        ),
    ] = None
    open_broker: Annotated[
        Literal["", "I know that anybody can publish as any car"],
        Field(
            description=(
                "a broker that lets strangers publish as cars is refused at the start, unless this says, word "
                "by word: I know that anybody can publish as any car"
            )
        ),
    ] = ""
    home: Annotated[Path, Field(description="the folder of all state: database, broker, spools, secret")] = Field(
        default_factory=lambda: usual_home(os.environ.get("XDG_DATA_HOME"))
    )
    secret: Annotated[
        SecretStr | None,
        Field(
            description=(
                "signs links and derives the services' database passwords; made and kept in the home when not set"
            )
        ),
    ] = None
    secret_previous: Annotated[
        SecretStr,
        Field(
            description=(
                "the secret before TELLTALE_SECRET, while it is being changed: services still get into a "
                "database that was migrated with it"
            )
        ),
    ] = SecretStr("")
    database_connections: Annotated[
        int | None,
        Field(
            ge=9,
            description=(
                "most database connections of one dealer-api or workers process; not set: 21 and 15. A gateway takes 5"
            ),
        ),
    ] = None
    desk_host: Annotated[str, Field(description="address the dealer's desk and the API listen on")] = "127.0.0.1"
    desk_port: Annotated[int, Field(ge=0, le=65535, description="port of the desk; 0 takes a free one")] = 0
    public_url: Annotated[
        str, Field(description="how owners reach us, for the links in their texts; empty: the desk's own address")
    ] = ""
    trusted_proxies: Annotated[
        str,
        Field(
            description=(
                "networks of our own proxies, with commas between, or `none`: only theirs X-Forwarded-For and "
                "X-Forwarded-Proto are believed"
            )
        ),
    ] = "127.0.0.0/8, ::1"
    hosts: Annotated[
        str,
        Field(
            description=(
                "more host names by which the desk may be asked, with commas between, besides "
                "TELLTALE_PUBLIC_URL's and this machine's own; any other is refused (421), /health/ excepted"
            )
        ),
    ] = ""
    api_calls_a_minute: Annotated[
        int,
        Field(
            ge=0,
            description=(
                "calls that a program's key may make in a minute at one desk process, and at once after a "
                "quiet one; then 429 with Retry-After; 0: no limit"
            ),
        ),
    ] = 1_200
    demo_sign_ins: Annotated[
        bool, Field(description="show ready-made sign-ins on the sign-in page; refuses to listen beyond loopback")
    ] = False
    health_host: Annotated[
        str,
        Field(
            description=(
                "address of the services' health and metrics pages; they are for your own network, never for the public"
            )
        ),
    ] = "127.0.0.1"
    health_port: Annotated[
        int | None,
        Field(
            ge=0,
            le=65535,
            description=(
                "port of this service's health page; not set: gateway 9801, workers 9802, dealer-api 9803, "
                "broker 9804 (or a free one where that is taken); 0 takes a free one"
            ),
        ),
    ] = None
    traces_url: Annotated[
        str,
        Field(
            pattern=r"^(https?://.+)?$",
            description=(
                "OpenTelemetry collector that takes traces by OTLP over HTTP, http://collector:4318/v1/traces; "
                "empty: no traces (needs the extra `otel`)"
            ),
        ),
    ] = ""
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="least severity that is logged")
    ] = "info"
    log_format: Annotated[
        Literal["auto", "json", "console"], Field(description="auto: console on a terminal, JSON lines elsewhere")
    ] = "auto"
    lapse: Annotated[
        float, Field(ge=0, le=100_000, description="business seconds per machine second in the demo; 1 is real time")
    ] = 600.0
    share: Annotated[
        str,
        Field(
            pattern=r"^(\d+|auto)/\d+$",
            description=(
                "which share of the fleet this gateway carries, K/N with K from 0; auto/N takes K from the end "
                "of the host's name, as a StatefulSet numbers its pods (gateway-0, gateway-1 …)"
            ),
        ),
    ] = "0/1"
    channel: Annotated[
        Literal["auto", "phone", "sms", "email"],
        Field(
            description=(
                "how imported owners are reached; auto: sms where Twilio is set up, else the demo phone, from "
                "which nothing leaves"
            )
        ),
    ] = "auto"
    broker_cert: Annotated[
        Path | None,
        Field(
            description="file of the certificate (PEM) that the embedded broker shows; with it both its ports speak TLS"
        ),
    ] = None
    broker_key: Annotated[
        Path | None, Field(description="file of the key of TELLTALE_BROKER_CERT, without a password")
    ] = None
    broker_ca: Annotated[
        Path | None,
        Field(
            description=(
                "file of an authority (PEM): the embedded broker lets in only cars and gateways that show a "
                "certificate of it, on top of their password"
            )
        ),
    ] = None
    auth_url: Annotated[
        SecretStr,
        Field(
            description=(
                "NATS address on which the broker asks who may sign in, nats:// or tls://, several hosts "
                "divided by commas (embedded broker: set by itself)"
            )
        ),
    ] = SecretStr("")
    auth_seed: Annotated[
        SecretStr, Field(description="NKey seed that signs those answers (embedded broker: set by itself)")
    ] = SecretStr("")
    broker_log: Annotated[
        Path | None,
        Field(description="the broker's log, in which denied publishes are counted (embedded broker: set by itself)"),
    ] = None
    workshop_url: Annotated[
        SecretStr,
        Field(description="sign-in of the simulated workshop, which heals simulated cars (demo: set by itself)"),
    ] = SecretStr("")
    ready_fd: Annotated[
        int, Field(description="pipe on which a supervisor waits for our line that we are ready (set by itself)")
    ] = -1
    notify_socket: Annotated[
        str,
        Field(
            validation_alias="NOTIFY_SOCKET",
            description="where systemd waits for our word that we are ready (set by systemd)",
        ),
    ] = ""
    watchdog_usec: Annotated[
        int,
        Field(
            validation_alias="WATCHDOG_USEC",
            ge=0,
            description="systemd ends a service that is silent for so many microseconds (set by systemd: WatchdogSec)",
        ),
    ] = 0
    retention_days: Annotated[int, Field(ge=1, description="days for which raw readings are kept")] = 400

    @field_validator("desk_host", "health_host")
    @classmethod
    def _no_empty_host(cls, value: str) -> str:
        return value.strip() or "127.0.0.1"

    @classmethod
    def read(cls, **given: Any) -> Self:
        """From the environment; arguments win. Anything odd is one Misconfigured that names the setting."""
        known = {PREFIX + name.upper() for name in cls.model_fields if name not in PLAIN}
        for name in os.environ:
            if name.startswith(PREFIX) and name not in known:
                raise Misconfigured(name, f"there is no such setting; known are {', '.join(sorted(known))}")
        try:
            settings = cls(**{PLAIN.get(k, k): v for k, v in given.items() if v is not None})
        except ValidationError as error:
            first = error.errors()[0]
            field = str(first["loc"][0]) if first["loc"] else "settings"
            raise Misconfigured(field if field.isupper() else PREFIX + field.upper(), first["msg"]) from None
        settings._check()
        return settings

    def _check(self) -> None:
        if self.demo_sign_ins and self.desk_host not in LOOPBACK:
            raise Misconfigured(
                "TELLTALE_DESK_HOST",
                f"demo sign-ins are open to everyone, so they only listen on 127.0.0.1, not on {self.desk_host}",
            )
        k, n = self.shares
        if not k < n:
            raise Misconfigured(
                "TELLTALE_SHARE", f"{k}/{n} is no share: K counts from 0 and is below N, as in 0/2 and 1/2"
            )
        for name, value, schemes in (
            ("DATABASE_URL", self.database_url, ("postgres", "postgresql")),
            ("MQTT_URL", self.mqtt_url, ("mqtt", "mqtts")),
            ("TELLTALE_FEEDS_URL", self.feeds_url if self.feeds_url.get_secret_value() else None, ("mqtt", "mqtts")),
            ("TELLTALE_CARS_URL", SecretStr(self.cars_url) if self.cars_url else None, ("mqtt", "mqtts")),
        ):
            if value is not None and urlsplit(value.get_secret_value()).scheme not in schemes:
                raise Misconfigured(name, f"must begin with {schemes[-1]}://")
        if self.database_url is not None and self.database_password.get_secret_value():
            account = urlsplit(self.database_url.get_secret_value())
            if not account.username or account.password is not None:
                raise Misconfigured(
                    "DATABASE_PASSWORD",
                    "goes with a DATABASE_URL that names its account and no password: "
                    "postgresql://telltale@host/telltale",
                )

    @cached_property
    def key(self) -> str:
        """The one secret: given, or made once and kept readable for its owner only."""
        if self.secret is not None:
            return self.secret.get_secret_value()
        path = self.home / "secret"
        if not path.exists():
            self.home.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.write_text(secrets.token_hex(32))
        return path.read_text().strip()

    @property
    def secrets(self) -> tuple[str, ...]:
        """The secret, and the one before it while it is being changed."""
        previous = self.secret_previous.get_secret_value()
        return (self.key, previous) if previous else (self.key,)

    @property
    def database(self) -> str:
        if self.database_url is None:
            raise Misconfigured(
                "DATABASE_URL", "is not set: this command works on a running database; `telltale demo` brings one along"
            )
        url, password = self.database_url.get_secret_value(), self.database_password.get_secret_value()
        if not password:
            return url
        parts = urlsplit(url)
        account, _, host = parts.netloc.rpartition("@")
        return urlunsplit(parts._replace(netloc=f"{account}:{quote(password, safe='')}@{host}"))

    @property
    def mqtt(self) -> str:
        if self.mqtt_url is None:
            raise Misconfigured(
                "MQTT_URL", "is not set: this command works on a running broker; `telltale demo` brings one along"
            )
        return self.mqtt_url.get_secret_value()

    @property
    def broker_tls(self) -> BrokerTls | None:
        """What the embedded broker shows."""
        if self.broker_cert is None and self.broker_key is None and self.broker_ca is None:
            return None
        if self.broker_cert is None or self.broker_key is None:
            raise Misconfigured("TELLTALE_BROKER_CERT", "and TELLTALE_BROKER_KEY belong together: set both")
        return BrokerTls(
            self.broker_cert.resolve(), self.broker_key.resolve(), self.broker_ca.resolve() if self.broker_ca else None
        )

    @property
    def providers(self) -> ProviderSettings:
        """Those of the ways to a person, and nothing else of ours."""
        return ProviderSettings(**{name: getattr(self, name) for name in ProviderSettings.model_fields})

    @property
    def usual_channel(self) -> str:
        """The channel of an owner who chose none."""
        if self.channel != "auto":
            return self.channel
        return "sms" if set_up(self, "sms") else "phone"

    @property
    def shares(self) -> tuple[int, int]:
        """K and N."""
        return share_of(self.share, socket.gethostname())


def child_environment(changes: Mapping[str, str]) -> dict[str, str]:
    """The environment of a service that we start: ours, with these settings on top (names of fields)."""
    known = {name: PLAIN.get(name, PREFIX + name.upper()) for name in Settings.model_fields}
    return {**os.environ, **{known[name]: value for name, value in changes.items()}}
