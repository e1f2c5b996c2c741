"""Settings: from the environment, checked once, and every complaint names its setting."""

from __future__ import annotations

from pathlib import Path

import pytest

from schemas.errors import Misconfigured
from telltale.settings import Settings, child_environment


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DATABASE_URL", "MQTT_URL", *(f"TELLTALE_{field.upper()}" for field in Settings.model_fields)):
        monkeypatch.delenv(name, raising=False)
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
