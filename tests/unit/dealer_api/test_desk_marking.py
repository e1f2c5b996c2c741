"""Marking a template's words loses nothing of it."""

from __future__ import annotations

from pathlib import Path

import jinja2
import pytest
from jinja2 import nodes

import dealer_api.desk
from dealer_api.desk.languages.reading import Place, lexed

_TEMPLATES = sorted((Path(dealer_api.desk.__file__).parent / "templates").glob("*.html"))


@pytest.mark.parametrize("path", _TEMPLATES, ids=lambda path: str(path.stem))
def test_the_pieces_of_a_template_are_the_template(path: Path) -> None:
    tree = jinja2.Environment(trim_blocks=True, lstrip_blocks=True).parse(path.read_text())
    place = Place()
    for data in tree.find_all(nodes.TemplateData):
        assert "".join(text for _, text in lexed(data.data, place)) == data.data


def test_a_quote_that_ends_a_piece_stays() -> None:
    place = Place()
    assert "".join(text for _, text in lexed('<a title="x"', place)) == '<a title="x"'
    assert place.where == "tag"
