"""docs/reference/kept.md, made from the model itself: `python -m telltale.kept_page` writes it."""

from __future__ import annotations

from pathlib import Path

from schemas.keeping import KINDS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "kept.md"
_ELSE = (
    ("owners, cars, consents", "until the owner is erased; then a pseudonym stands in their place"),
    ("cases, visits, alerts with their evidence", "without end: they are the dealer's books"),
    (
        "readings of the whole house",
        "`TELLTALE_RETENTION_DAYS` at most, whatever a dealer chooses ([why](../why/retention.md))",
    ),
    ("answers to repeated requests", "30 days"),
    ("sessions of staff", "until they end"),
    ("backups", "as long as you keep them: see [operate](../howto/operate.md)"),
    ("logs", "as long as your system keeps them; no name, number, address or word of an owner is in them"),
)


def page() -> str:
    """The whole page."""
    lines = [
        "# What is kept how long",
        "",
        "Made from `schemas/keeping.py` (`python -m telltale.kept_page`; a test compares). Each dealer chooses within "
        "the bounds, at *Settings* or by",
        "`PATCH /api/v1/dealer`; a worker takes away what is older once a day and writes one line into history. A "
        "shorter limit counts a day after it was set.",
        "",
        "| | setting | usually | at least | at most | then goes | what stays |",
        "|---|---|---|---|---|---|---|",
        *(
            f"| {kind.title} | `{kind.setting}` | {kind.usual:,} days | {kind.least:,} | {kind.most:,} | {kind.goes} | "
            f"{kind.stays} |"
            for kind in KINDS
        ),
        "",
        "An age is counted in whole days (UTC) of business time: a reading's by the car's own clock, a text's by when "
        "it was queued or came in. There are no photos.",
        "",
        "## Without a limit of the dealer's",
        "",
        "| what | how long |",
        "|---|---|",
        *(f"| {what} | {how} |" for what, how in _ELSE),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
