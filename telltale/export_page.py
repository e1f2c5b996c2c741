"""docs/reference/export.md, made from the model itself: `python -m telltale.export_page` writes it."""

from __future__ import annotations

from pathlib import Path

from actions.exporting import FORMAT
from dealer_api.desk.export_words import LANGUAGES
from dealer_api.readings_file import HEADER
from store.not_personal import OTHERS
from store.personal import KEPT, MENTIONS, PARTS

PAGE = Path(__file__).resolve().parents[1] / "docs" / "reference" / "export.md"


def page() -> str:
    """The whole page."""
    lines = [
        "# What is held about an owner",
        "",
        "Made from `store/personal.py` (`python -m telltale.export_page`; a test compares, and another walks the "
        "database: a table or a column that is missing here fails).",
        "",
        "## Export",
        "",
        "`GET /api/v1/owners/{id}/export`, or *What we hold about them* on the owner's page, for managers: everything "
        "that is held about one owner. Each look is a line",
        f"of history. The JSON says `format` (`{FORMAT}`), `dealer`, `owner_id`, `made_at` and `parts`: for each part "
        "a list of rows with these fields. Times are ISO 8601",
        f"with their zone. What their cars said is CSV of its own (`GET /api/v1/owners/{{id}}/readings`): "
        f"{', '.join(f'`{name}`' for name in HEADER)}. A car is in it only while it was theirs.",
        "",
        "| part | what | fields |",
        "|---|---|---|",
        *(
            f"| `{part.name}` | {_title(part.name)} | {', '.join(f'`{name}`' for name in part.fields)} |"
            for part in PARTS
            if part.exported
        ),
        "",
        "## Erasure",
        "",
        "What becomes of each column when an owner is erased; what is not named stays as it is.",
        "",
        "| table | becomes |",
        "|---|---|",
        *(f"| `{part.table}` ({_title(part.name).lower()}) | {_becomes(part.becomes)} |" for part in PARTS),
        "",
        "## Tables that say nothing of an owner",
        "",
        "| table | why |",
        "|---|---|",
        *(f"| `{table}` | {why} |" for table, why in OTHERS.items()),
    ]
    return "\n".join(lines) + "\n"


def _title(name: str) -> str:
    return LANGUAGES["en"].get(name, name.replace("_", " ").capitalize())


def _becomes(columns: object) -> str:
    assert isinstance(columns, dict)
    columns_kept = [f"`{name}`: {_word(how)}" for name, how in columns.items() if how != KEPT]
    return "; ".join(columns_kept) or "all of it stays"


def _word(how: str) -> str:
    match how:
        case "''" | "NULL" | "'{{}}'":
            return "nothing"
        case "t.facts - 'words'":
            return "what its words were made of goes, what it states stays"
        case _ if how == MENTIONS:
            return "stays unless the person is mentioned in it"
        case _ if "{now}" in how:
            return "the time of the erasure, unless an earlier one stands"
        case _ if "'cancelled'" in how:
            return "cancelled, if it was waiting"
        case _ if "t.origin" in how:
            return "stays unless somebody rang, whose words it are, or the person is mentioned in it"
        case "'Erased owner ' || t.id":
            return "a pseudonym: Erased owner and their number"
    return how.strip("'").replace("|", "\\|") if not how.startswith("CASE") else "that it was erased"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
