"""What a mail carries: a link and a name that only we can make, each for its own use."""

from __future__ import annotations

from rules.service import letters

KEY, OTHER = b"k" * 32, b"o" * 32


def test_the_token_of_the_link_opens_its_message_and_nothing_else() -> None:
    token = letters.end_token(KEY, 3, 41)
    assert letters.ends(KEY, token) == (3, 41)
    assert letters.ends(OTHER, token) is None
    for forged in (token[:-1], f"{token}0", token.replace("3-", "4-", 1), token.replace("-41-", "-42-"), "", "x" * 43):
        assert letters.ends(KEY, forged) is None


def test_the_name_is_found_in_what_answers_it_and_opens_no_link() -> None:
    name = letters.name(KEY, 3, 41)
    assert letters.named(KEY, ["", f"<abc@else.example> <{name}@nord.example>"]) == (3, 41)
    assert letters.named(KEY, [f"<{letters.name(OTHER, 3, 41)}@nord.example>", "<m1-2-3@x>", "no name"]) is None
    assert letters.ends(KEY, name) is None and letters.ends(KEY, name[1:]) is None
    assert letters.named(KEY, [f"<m{letters.end_token(KEY, 3, 41)}@nord.example>"]) is None
