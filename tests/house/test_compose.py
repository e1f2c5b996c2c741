"""docker-compose.yml and .env.example speak our language: real commands, real options, real settings."""

from __future__ import annotations

import importlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.main import get_command

from telltale.cli import COMMANDS
from telltale.settings import HEALTH_PORTS, PLAIN, PREFIX, Settings

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {PLAIN.get(name, PREFIX + name.upper()) for name in Settings.model_fields}
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "telltale"}


def test_all_parts_are_there() -> None:
    assert {"broker", "database", "gateway", "workers", "dealer-api", "simulator"} <= set(SERVICES)


@pytest.mark.parametrize("name", OURS)
def test_each_command_is_a_real_verb_with_real_options(name: str) -> None:
    verb, *arguments = OURS[name]["command"]
    assert verb in COMMANDS
    command: Any = get_command(importlib.import_module(f"telltale.commands.{COMMANDS[verb][0]}").app)
    if hasattr(command, "commands"):
        command = command.commands[arguments[0]]
    known = {option for parameter in command.params for option in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("--")} <= known


@pytest.mark.parametrize("name", OURS)
def test_each_variable_is_a_setting(name: str) -> None:
    assert set(OURS[name].get("environment", {})) <= SETTINGS


def test_the_owners_password_is_known_to_the_one_who_migrates_alone() -> None:
    for name, service in OURS.items():
        result = service.get("environment", {})
        assert (name == "migrate") is ("DATABASE_PASSWORD" in str(result)), name
        assert (name == "migrate") is ("@" in result.get("DATABASE_URL", "")), name


def test_each_service_is_asked_at_its_usual_health_port() -> None:
    for name, port in HEALTH_PORTS.items():
        assert f"127.0.0.1:{port}/health/ready" in " ".join(OURS[name]["healthcheck"]["test"])
        assert OURS[name]["environment"]["TELLTALE_HEALTH_HOST"] == "0.0.0.0"
        assert str(port) not in str(OURS[name].get("ports", "")), "the health port is not for the public"


def test_cars_come_by_tls_and_nothing_else_is_published_beyond_this_machine() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert published == {"broker": ["8883:8883"], "mosquitto": ["8883:8883"], "dealer-api": ["127.0.0.1:8080:8080"]}
    assert {"TELLTALE_BROKER_CERT", "TELLTALE_BROKER_KEY"} <= set(OURS["broker"]["environment"])
    assert "--without-tls" not in str(SERVICES)


def test_a_volume_of_ours_belongs_to_the_account_that_writes_it() -> None:
    """Docker gives a new volume the owner of the folder in the image at which it is mounted."""
    made = set(
        re.search(r"install -d -o telltale -m 0711 (.+)$", (ROOT / "deploy" / "Dockerfile").read_text(), re.M)[
            1
        ].split()
    )  # type: ignore[index]
    mounted = {
        volume.split(":")[1]
        for service in OURS.values()
        for volume in service.get("volumes", ())
        if not volume.startswith(".")
    }
    assert mounted <= made


def test_the_example_names_what_compose_reads_and_nothing_else() -> None:
    example = set(re.findall(r"^([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.M))
    read = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert example - {"COMPOSE_PROFILES"} <= read
    assert {name for name in example if name.startswith(PREFIX)} <= SETTINGS
    assert {"DATABASE_PASSWORD", "TELLTALE_SECRET"} <= example


def test_the_image_holds_every_room_that_a_service_imports() -> None:
    copied = set(re.findall(r"^COPY (\w+) \1$", (ROOT / "deploy" / "Dockerfile").read_text(), re.M))
    rooms = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"])
    assert copied == rooms - {"proofs"}


def test_what_the_image_copies_is_seen_by_its_build() -> None:
    copied = [
        word
        for words in re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "deploy" / "Dockerfile").read_text(), re.M)
        for word in words.split()
    ]
    seen = {line[1:] for line in (ROOT / ".dockerignore").read_text().split() if line.startswith("!")}
    assert [one for one in copied if one not in seen or not (ROOT / one).exists()] == []
