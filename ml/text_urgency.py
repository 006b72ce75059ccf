"""How soon a text needs an answer: what it asks for, its mood, and whether its writer is leaving.

A threat to leave is found by its wording, which is the same in every trade, and raises the
priority by one step whatever else is said.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

PRIORITIES = ("low", "normal", "high", "urgent")
BY_INTENT = {"praise": 0, "question": 1, "refund": 1, "complaint": 2, "cancellation": 2}
"""The step of `PRIORITIES` of each intent; another intent is normal."""
STRONG = -0.8
"""A score at or below this raises a complaint, a refund or a question by one step."""
_AGAIN = r"(?: \w+){0,4}? (?:again|any ?more|here|back)\b"
_LEAVING = re.compile(
    "|".join(
        (
            r"\b(?:clos|delet|cancel|terminat)(?:e|l?ing)? (?:my|our|the|this) (?:account|contract"
            r"|subscription|membership|plan)",
            r"\bend(?:ing)? (?:my|our) (?:contract|membership|subscription)",
            r"\b(?:switch|mov|go|chang)(?:e|ing)? (?:over )?(?:to|with) (?:(?:a|an|the|your|another"
            r"|other) )*(?:competitor|competition|provider|shop|store|company|bank|airline|brand"
            r"|carrier|supplier)",
            r"\btak(?:e|ing) (?:my|our) (?:business|money|custom) elsewhere",
            r"\b(?:i['’]?m|i am|we['’]?re|we are) (?:done|leaving|through|finished) with you",
            r"\b(?:will not|won['’]?t|would not|wouldn['’]?t|(?:will )?never(?: ever)?) (?:be )?"
            r"(?:buy|order|us|shop|fly|com|return|book|renew|purchas|go)(?:e|ing)?\b" + _AGAIN,
            r"\byou (?:have |['’]ve )?(?:just )?lost (?:a|me as a|another) (?:\w+ )?customer",
            r"\blast (?:time|order|purchase|flight|booking) (?:i|we|with you|from you|ever)\b",
        )
    ),
    re.I,
)
_DENIED = re.compile(r"\b(?:do|did|does|am|are|is)(?: not|n['’]t) (?:\w+ ){0,2}$", re.I)


def threatens_to_leave(text: str) -> bool:
    """Whether a text says that its writer goes, or will not come back.

    A question how to close an account counts: whoever asks is on the way out.
    """
    return any(not _DENIED.search(text[: found.start()]) for found in _LEAVING.finditer(text))


def priorities(
    texts: Sequence[str], intents: Sequence[str], scores: Sequence[float | None]
) -> pd.DataFrame:
    """Rank texts by how soon they need an answer.

    Parameters
    ----------
    texts : sequence of str, n texts
    intents : sequence of str
        As predicted; see `BY_INTENT`.
    scores : sequence of float or None
        Mood, -1 to 1; None where it was not judged.

    Returns
    -------
    DataFrame
        ``priority`` (of `PRIORITIES`), ``is_leaving``.
    """
    step = np.array([BY_INTENT.get(str(intent), 1) for intent in intents], dtype=int)
    mood = np.array([0.0 if score is None else score for score in scores], dtype=float)
    leaving = np.array([threatens_to_leave(text) for text in texts], dtype=bool)
    step = step + (mood <= STRONG) * (step > 0) + leaving
    named = np.array(PRIORITIES, dtype=object)[step.clip(0, len(PRIORITIES) - 1)]
    return pd.DataFrame({"priority": named, "is_leaving": leaving})
