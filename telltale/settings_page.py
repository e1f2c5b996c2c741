"""docs/reference/settings.md, made from the settings themselves: `python -m telltale.settings_page` writes it."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from telltale.settings import PLAIN, PREFIX, Settings

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "settings.md"


def page() -> str:
    """The whole page."""
    lines = [
        "# Settings",
        "",
        "All of them are read from the environment, once, at the start. An unknown `TELLTALE_…` variable and a value "
        "that",
        "cannot be are refused with one line that names the setting. This page is made by `python -m "
        "telltale.settings_page`.",
        "",
        "| variable | default | what it does |",
        "|---|---|---|",
    ]
    for name, field in Settings.model_fields.items():
        lines.append(
            f"| `{PLAIN.get(name, PREFIX + name.upper())}` | {_default(name, field.default)} | {field.description} |"
        )
    return "\n".join(lines) + "\n"


def _default(name: str, value: object) -> str:
    if name == "home":
        return "`~/.local/share/telltale`, for root `/var/lib/telltale/home`"
    if isinstance(value, SecretStr):
        value = value.get_secret_value()
    if value is None or value is PydanticUndefined or value == "":
        return "–"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(), encoding="utf-8")
