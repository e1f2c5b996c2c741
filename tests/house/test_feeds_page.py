"""The page of feeds is the register's own, and every file of a feed is in it."""

from __future__ import annotations

from pathlib import Path

from gateway.feeds.register import FEEDS
from telltale.feeds_page import PAGE, page

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_feeds_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m telltale.feeds_page"


def test_every_file_of_a_feed_is_in_the_register():
    found = {path.stem for path in (ROOT / "gateway" / "feeds").glob("*.py") if "\nFEED: Final" in path.read_text()}
    assert found == set(FEEDS)
