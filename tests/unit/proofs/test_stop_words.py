"""What asks for no more texts, over a corpus of ours: every named word, nearly every sentence, and next to nothing
else.
"""

from __future__ import annotations

import pytest

from proofs.replies import run
from rules.service.replies import Asked, Meaning, understand


def test_named_words_all_sentences_nearly_all_and_hardly_a_false_stop() -> None:
    facts = run()
    assert facts["checked"] >= 300 and len(facts["languages"]) == 4
    assert facts["named_not_heard"] == [] and facts["violations"] == 0, facts


def test_it_turns_red_when_the_word_alone_is_looked_for() -> None:
    assert run("words-only")["violations"] > 0


def test_sold_and_wrong_are_heard_in_four_languages_and_never_wrongly() -> None:
    facts = run()
    assert facts["verbs_heard"] >= 0.98 and facts["verbs_heard_wrongly"] == []
    assert run("verbs-anywhere")["violations"] > 0


@pytest.mark.parametrize(
    "body, also",
    [
        ("Wrong number, stop texting me", Meaning.WRONG),
        ("I sold the car and I don't want any more texts", Meaning.SOLD),
    ],
)
def test_who_says_stop_in_the_same_breath_is_stopped_and_heard(body: str, also: Meaning) -> None:
    understood = understand(body, Asked())
    assert understood.meaning is Meaning.STOP and understood.also is also and understood.for_a_person


@pytest.mark.parametrize("digit", ["٢", "２", "2"])
def test_digits_of_every_script_are_answers(digit: str) -> None:
    assert understand(digit, Asked((1, 2))).meaning is Meaning.CHOICE
