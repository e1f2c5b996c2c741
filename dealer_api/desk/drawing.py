"""The two ways in which templates are compiled: as they stand, for English, and with their words marked, for others."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

import jinja2
from jinja2 import nodes
from markupsafe import Markup, escape

from dealer_api import reader
from dealer_api.charts import number, unit_symbol
from dealer_api.desk import formatting
from dealer_api.desk.languages import catalogue
from dealer_api.desk.languages.marking import mark
from dealer_api.desk.languages.sentences import sentences_of
from dealer_api.desk.languages.spoken import sentence

_OPEN, _CLOSE = "\u2068", "\u2069"  #: what stands between runs in a direction of its own
_POINT = re.compile(r"(?<=\d)\.(?=\d)")


class English(jinja2.Environment):
    """Templates as they are written."""

    def __init__(self) -> None:
        super().__init__(**_GIVEN)
        self.filters |= _FILTERS
        self.globals |= _GLOBALS | {"words": formatting}


class Speaking(jinja2.Environment):
    """Templates in the language of whoever reads: each message is looked up when it is drawn."""

    def __init__(self) -> None:
        super().__init__(**_GIVEN)
        self.filters |= _FILTERS
        self.filters |= {"plain": _plain, "format": _format, "lower": str, "sentence": formatting.sentence}
        self.globals |= _GLOBALS | {"words": Words()}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        mark(tree, sentences_of(name))
        tree.set_environment(self)
        return tree

    def speak_say(self, message: str, values: Mapping[str, Any]) -> Markup:
        """A message between tags: its translation is markup, as the message is; its values are not."""
        return Markup("".join(_filled(catalogue.catalogue(reader.language()).say(message), values, _shown)))

    def speak_count(self, one: str, many: str, count: Any, values: Mapping[str, Any]) -> Markup:
        """The same of one that counts."""
        return Markup("".join(_filled(_counted(one, many, count), values, _shown)))

    def speak_bare_say(self, message: str, values: Mapping[str, Any]) -> Markup:
        """A message in an attribute, or where no element may stand."""
        return Markup("".join(_filled(catalogue.catalogue(reader.language()).say(message), values, _kept)))

    def speak_bare_count(self, one: str, many: str, count: Any, values: Mapping[str, Any]) -> Markup:
        """The same of one that counts."""
        return Markup("".join(_filled(_counted(one, many, count), values, _kept)))

    def speak_word(self, message: str) -> str:
        """A constant of a template."""
        return "".join(literal for literal, _ in catalogue.catalogue(reader.language()).say(message))

    def speak_sentence(self, value: Any) -> Any:
        """What Python made, when it is a sentence of ours."""
        if isinstance(value, list | tuple):
            return [self.speak_sentence(one) for one in value]
        return sentence(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    def speak_value(self, value: Any) -> Any:
        """Somebody's own word, kept in its own direction."""
        return _shown(value) if reader.right_to_left() and isinstance(value, str) else value

    def speak_bare_value(self, value: Any) -> Any:
        """The same where no element may stand."""
        return _kept(value) if reader.right_to_left() and isinstance(value, str) else value

    def speak_number(self, value: float) -> str:
        """12,345 as the language writes it."""
        return number(round(value), reader.locale())


class Words:
    """`formatting` in the reader's language: its tables answer with translations, its functions speak it themselves."""

    def __getattr__(self, name: str) -> Any:
        found = getattr(formatting, name)
        return Table(found) if isinstance(found, dict) and name not in formatting.UNSAID else found


class Table(Mapping[str, Any]):
    """A table of words, each read in the reader's language."""

    def __init__(self, table: Mapping[str, Any]) -> None:
        self._table = table

    def __getitem__(self, key: str) -> Any:
        found = self._table[key]
        return tuple(map(sentence, found)) if isinstance(found, tuple) else sentence(found)

    def __iter__(self) -> Any:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


def _counted(one: str, many: str, count: Any) -> catalogue.Pieces:
    known = catalogue.catalogue(reader.language())
    if one in known.messages:
        return known.say(one, int(count or 0))
    return catalogue.pieces(one if count == 1 else many)


def _filled(pieces: catalogue.Pieces, values: Mapping[str, Any], show: Callable[[Any], Any]) -> list[str]:
    made: list[str] = []
    for literal, place in pieces:
        made.append(literal)
        if place:
            made.append(str(show(values[place])) if place in values else "")
    return made


def _shown(value: Any) -> Any:
    if isinstance(value, Markup) or value is None:
        return escape(value) if value is not None else ""
    text = escape(value)
    return Markup("<bdi>") + text + Markup("</bdi>") if reader.right_to_left() and text else text


def _kept(value: Any) -> Any:
    if isinstance(value, Markup) or value is None:
        return escape(value) if value is not None else ""
    text = escape(value)
    return f"{_OPEN}{text}{_CLOSE}" if reader.right_to_left() and text else text


def _plain(name: str) -> str:
    return sentence(formatting.plain(name))


def _format(pattern: str, *values: Any) -> str:
    """printf's way, with the decimal sign of the language."""
    made = str(pattern) % values
    return _POINT.sub(",", made) if reader.language() in ("de", "es") else made


_GIVEN: dict[str, Any] = {
    "loader": jinja2.PackageLoader("dealer_api.desk"),
    "autoescape": True,
    "trim_blocks": True,
    "lstrip_blocks": True,
    "undefined": jinja2.StrictUndefined,
}
_FILTERS: dict[str, Callable[..., Any]] = {
    "initials": formatting.initials,
    "plain": formatting.plain,
    "symbol": unit_symbol,
    "span": formatting.span,
    "sentence": formatting.sentence,
}
_GLOBALS: dict[str, Any] = {
    "number": lambda value: number(value, reader.locale()),
    "timedelta": timedelta,
    "speech": reader,
    "languages": reader.LANGUAGES,
    "script_words": lambda: catalogue.of_scripts(reader.language()),
}
