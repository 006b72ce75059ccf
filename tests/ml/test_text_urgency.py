"""Who threatens to leave is heard; who asks for a thing is answered in order."""

from __future__ import annotations

import pytest

from ml.text_urgency import PRIORITIES, priorities, threatens_to_leave


@pytest.mark.parametrize(
    "text",
    [
        "Please close my account.",
        "I am going to another shop.",
        "Cancel my membership.",
        "I will never order from you again",
        "We won't be coming back here",
        "I'm taking my business elsewhere!",
        "You just lost a loyal customer",
        "That was the last time I fly with you",
        "switching to a competitor tomorrow",
        "never ever buying here again",
    ],
)
def test_threats_are_heard(text: str) -> None:
    assert threatens_to_leave(text)


@pytest.mark.parametrize(
    "text",
    [
        "Cancel the order I placed this morning",
        "I will order again, lovely shop",
        "I do not want to close my account, just change the address",
        "The last order was perfect",
        "Where is my parcel?",
        "I moved to another city",
        "",
    ],
)
def test_other_words_are_no_threats(text: str) -> None:
    assert not threatens_to_leave(text)


def test_a_threat_raises_the_priority_by_one_step() -> None:
    calm, leaving = "The lamp is broken.", "The lamp is broken. I will never buy here again."
    for intent in ("praise", "question", "complaint"):
        found = priorities([calm, leaving], [intent] * 2, [0.0, 0.0])["priority"].tolist()
        assert PRIORITIES.index(found[1]) == PRIORITIES.index(found[0]) + 1


def test_a_strong_mood_raises_it_too_and_nothing_exceeds_the_highest() -> None:
    found = priorities(["close my account"] * 3, ["complaint"] * 3, [-1.0, 0.5, None])
    assert found["priority"].tolist() == ["urgent", "urgent", "urgent"]
    mild = priorities(["late", "late"], ["complaint"] * 2, [-0.95, -0.2])["priority"].tolist()
    assert mild == ["urgent", "high"]


def test_praise_never_becomes_urgent_by_mood() -> None:
    assert priorities(["great"], ["praise"], [-0.9])["priority"].tolist() == ["low"]
