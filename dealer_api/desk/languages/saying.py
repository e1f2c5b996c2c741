"""What the desk's own code says, in the reader's language."""

from __future__ import annotations

from datetime import date

from babel.dates import format_date

from dealer_api import reader
from dealer_api.desk.languages import catalogue

#: A day as people write it beside others of its year, with its year, and its weekday alone.
_DAYS = {
    "de": ("EEE d. MMM", "EEE d. MMM y", "EEE"),
    "es": ("EEE d MMM", "EEE d MMM y", "EEE"),
    "ar": ("EEE d MMM", "EEE d MMM y", "EEE"),
}
_LONG = {"de": "EEEE, d. MMMM y", "es": "EEEE, d 'de' MMMM 'de' y", "ar": "EEEE، d MMMM y"}


def say(message: str, **values: object) -> str:
    """That message with its places filled."""
    if reader.language() == reader.ENGLISH:
        return message.format(**values)
    return filled(catalogue.catalogue(reader.language()).say(message), values)


def count(one: str, many: str, number: int, **values: object) -> str:
    """The form that goes with the number."""
    if reader.language() == reader.ENGLISH:
        return (one if number == 1 else many).format(**values)
    return filled(catalogue.catalogue(reader.language()).say(one, number), values)


def filled(pieces: catalogue.Pieces, values: dict[str, object]) -> str:
    """The pieces with what stands in their places."""
    return "".join(f"{literal}{values.get(place, '') if place else ''}" for literal, place in pieces)


def dated(day: date, *, year: bool = False, weekday_only: bool = False) -> str:
    """Mon 23 Nov; Mo. 23. Nov.; with the year, or its weekday alone."""
    language = reader.locale()
    if language in _DAYS:
        pattern = _DAYS[language][2 if weekday_only else 1 if year else 0]
        return str(format_date(day, pattern, locale=language)).replace(".,", ",")
    return f"{day:%a}" if weekday_only else f"{day:%a} {day.day} {day:%b}" + (f" {day.year}" if year else "")


def whole_day(day: date, *, year: bool) -> str:
    """Monday 23 November; Montag, 23. November."""
    language = reader.locale()
    if language in _DAYS:
        return str(
            format_date(
                day,
                _LONG[language].removesuffix("" if year else " y").removesuffix("" if year else " 'de'"),
                locale=language,
            )
        )
    return f"{day:%A} {day.day} {day:%B}" + (f" {day.year}" if year else "")


def upright(figures: str) -> str:
    """Figures that must run from left to right in any paragraph."""
    return f"\u2066{figures}\u2069" if reader.right_to_left() else figures
