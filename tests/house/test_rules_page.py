"""The page of rules is the catalogue's own."""

from __future__ import annotations

from telltale.rules_page import PAGE, page


def test_the_page_of_rules_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m telltale.rules_page"
