"""What is kept how long is written down as it is done."""

from telltale.kept_page import PAGE, page


def test_the_page_is_as_fresh_as_the_model() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m telltale.kept_page"
