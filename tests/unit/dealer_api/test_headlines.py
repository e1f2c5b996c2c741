"""Which wheel a line of a chart is about, in the reader's language."""

from __future__ import annotations

import pytest

from dealer_api import reader
from dealer_api.desk.languages import headlines
from dealer_api.desk.languages.spoken import sentence
from rules.service.wording import Wording
from telltale import data


@pytest.mark.parametrize("language", ["de", "es", "ar"])
@pytest.mark.parametrize("component", ["front_left", "rear_right", "axle_2"])
def test_a_line_of_a_chart_is_called_as_the_owner_s_texts_call_the_wheel(language: str, component: str) -> None:
    wording = Wording(data.texts())
    headlines.known_by(wording)
    theirs = wording.component(language, component)
    with reader.reading(language):
        shown = sentence(wording.component("en", component).capitalize())
    assert shown.lower() == theirs.lower() and theirs != wording.component("en", component)
