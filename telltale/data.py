"""The TOML folders, read once: vehicle models, scenarios, texts, trouble codes. Everybody else gets values."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from schemas.errors import Misconfigured
from schemas.profile import Profile

ROOT = Path(__file__).resolve().parents[1]
PROFILES = ROOT / "schemas" / "profiles"
SCENARIOS = ROOT / "simulator" / "scenarios"
TEXTS = ROOT / "rules" / "texts"
TROUBLE_CODES = ROOT / "rules" / "trouble_codes.toml"


@cache
def profiles() -> dict[str, Profile]:
    """Every vehicle model, by the name of its file."""
    found = {}
    for name, values in folder(PROFILES).items():
        try:
            found[name] = Profile.model_validate({"name": name, **values})
        except ValidationError as error:
            first = error.errors()[0]
            raise Misconfigured(
                f"{PROFILES / name}.toml", f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            ) from None
    return found


@cache
def scenarios() -> dict[str, dict[str, Any]]:
    """Every scenario of the stand-in car, by the name of its file."""
    return folder(SCENARIOS)


@cache
def texts() -> dict[str, dict[str, Any]]:
    """The words of every language, by its tag (en, de, es)."""
    return folder(TEXTS)


@cache
def trouble_codes() -> dict[str, Any]:
    """What trouble codes mean, in our own words."""
    return read(TROUBLE_CODES)


def folder(where: Path) -> dict[str, dict[str, Any]]:
    """Every TOML file of a folder by its stem, in the order of their names."""
    return {path.stem: read(path) for path in sorted(where.glob("*.toml"))}


def read(path: Path) -> dict[str, Any]:
    """One TOML file; what is wrong with it is one line that names it."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Misconfigured(str(path), "is missing from this checkout") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Misconfigured(str(path), str(error)) from None
