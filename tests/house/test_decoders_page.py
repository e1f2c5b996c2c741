"""The page of what is decoded is the decoders' own."""

from __future__ import annotations

from telltale.decoders_page import PAGE, page


def test_the_page_of_decoders_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m telltale.decoders_page"
