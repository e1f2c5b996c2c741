"""Settings: from the environment, checked once, and every complaint names its setting."""

from __future__ import annotations

from pathlib import Path
from types import NoneType, UnionType
from typing import Literal, Union, get_args, get_origin
from urllib.parse import unquote, urlsplit

import pytest
from pydantic import SecretStr

from schemas.errors import Misconfigured
from telltale.settings import PLAIN, PREFIX, Settings, child_environment


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for field in Settings.model_fields:
        monkeypatch.delenv(PLAIN.get(field, PREFIX + field.upper()), raising=False)
    monkeypatch.setenv("TELLTALE_HOME", str(tmp_path))


def test_the_plain_names_and_the_prefixed_ones_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:p@h/d")
    monkeypatch.setenv("TELLTALE_LAPSE", "60")
    settings = Settings.read()
    assert settings.database == "postgresql://u:p@h/d"
    assert settings.lapse == 60


def test_an_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLTALE_SHARE", "0/4")
    assert Settings.read(share="1/2").shares == (1, 2)
    assert Settings.read(share=None).shares == (0, 4)


@pytest.mark.parametrize(
    "name, value",
    [
        ("TELLTALE_DESK_PROT", "1"),
        ("TELLTALE_DESK_PORT", "a lot"),
        ("TELLTALE_DESK_PORT", "70000"),
        ("TELLTALE_SHARE", "2/2"),
        ("TELLTALE_SHARE", "one"),
        ("TELLTALE_CHANNEL", "pigeon"),
        ("DATABASE_URL", "mysql://h/d"),
        ("MQTT_URL", "http://h"),
        ("TELLTALE_TWILIO_API", "http://api.twilio.com"),
    ],
)
def test_a_bad_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(Misconfigured) as caught:
        Settings.read()
    assert caught.value.setting == name
    assert "\n" not in str(caught.value)


def test_demo_sign_ins_refuse_to_listen_beyond_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLTALE_DEMO_SIGN_INS", "true")
    monkeypatch.setenv("TELLTALE_DESK_HOST", "0.0.0.0")
    with pytest.raises(Misconfigured, match="TELLTALE_DESK_HOST"):
        Settings.read()


def test_the_secret_is_made_once_and_is_its_owners_alone(tmp_path: Path) -> None:
    first = Settings.read().key
    assert Settings.read().key == first
    assert len(first) == 64
    assert (tmp_path / "secret").stat().st_mode & 0o077 == 0


def test_a_child_gets_the_names_it_reads() -> None:
    child = child_environment({"database_url": "postgresql://x/y", "desk_port": "8080"})
    assert child["DATABASE_URL"] == "postgresql://x/y"
    assert child["TELLTALE_DESK_PORT"] == "8080"


#: A valid text of every setting whose type alone does not say one.
TEXTS = {
    "database_url": [
        "postgresql://telltale@db:5432/telltale",
        "postgresql://telltale@one:5432,two:5433/telltale",
        "postgres://u:p%40ss@[::1]/d?sslmode=verify-full",
    ],
    "database_password": ["p@ss/w:rd?#%"],
    "mqtt_url": ["mqtt://broker:1883", "mqtts://gateway:p%40ss@broker:8883"],
    "cars_url": ["mqtts://broker:8883"],
    "feeds_url": ["mqtt://gateway:p%40ss@elsewhere:1883"],
    "share": ["0/1", "3/16"],
    "traces_url": ["http://collector:4318/v1/traces", "https://traces.example/v1/traces"],
    "photos_url": ["s3://handover-photos/hamburg", "s3://handover-photos"],
    "database_connections": ["9", "40"],
    "desk_host": ["127.0.0.1"],
    "twilio_api": ["https://api.twilio.com", "http://127.0.0.1:8000"],
}


def texts(name: str) -> list[str]:
    """Texts as an environment may hold them, each of which must be taken: by the field's type, or from the list
    above.
    """
    if name in TEXTS:
        return TEXTS[name]
    field = Settings.model_fields[name]
    kinds = [
        kind
        for kind in (
            get_args(field.annotation) if get_origin(field.annotation) in (Union, UnionType) else [field.annotation]
        )
        if kind is not NoneType
    ]
    assert len(kinds) == 1, f"{name}: say in TEXTS what its text looks like"
    kind = kinds[0]
    if get_origin(kind) is Literal:
        return [str(value) for value in get_args(kind)]
    bounds = [
        str(value)
        for metadata in field.metadata
        for value in (getattr(metadata, "ge", None), getattr(metadata, "le", None))
        if value is not None
    ]
    known = {
        bool: ["true", "false", "1", "0", "yes", "no"],
        int: [*bounds, "1"],
        float: [*bounds, "0.5", "1"],
        Path: ["/tmp/x"],
        str: ["x"],
        SecretStr: ["x"],
    }
    assert kind in known, f"{name}: say in TEXTS what a text of {kind} looks like"
    return known[kind]


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_read_from_its_text(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for text in texts(name):
        monkeypatch.setenv(PLAIN.get(name, PREFIX + name.upper()), text)
        read = getattr(Settings.read(), name)
        plain = read.get_secret_value() if isinstance(read, SecretStr) else read
        meant = (
            {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text]
            if isinstance(plain, bool)
            else type(plain)(text)
        )
        assert plain == meant


@pytest.mark.parametrize("password", ["p@ss/w:rd", "100%", "ümläut ?#&=", "plain"])
def test_a_database_password_of_its_own_may_hold_any_character(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://telltale@database:5432/telltale?sslmode=prefer")
    monkeypatch.setenv("DATABASE_PASSWORD", password)
    parts = urlsplit(Settings.read().database)
    assert (parts.hostname, parts.port, parts.path, parts.query) == ("database", 5432, "/telltale", "sslmode=prefer")
    assert (unquote(parts.username or ""), unquote(parts.password or "")) == ("telltale", password)


def test_two_database_passwords_are_one_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://telltale:one@database/telltale")
    monkeypatch.setenv("DATABASE_PASSWORD", "two")
    with pytest.raises(Misconfigured, match="DATABASE_PASSWORD"):
        Settings.read()
