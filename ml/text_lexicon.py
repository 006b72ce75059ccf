"""Opinion words by a lexicon: the fallback where no model is, the baseline, and features of one.

The lexicon is VADER's (Hutto & Gilbert 2014, MIT): 7,500 words, emoticons and emoji with the mean
valence that ten people gave them, -4 to 4. `vader` is the published rule-based score itself;
`lexicon_features` reads the same words in more ways: by clause, negated or not, with what tells
mixed opinions and sarcasm apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

Array = npt.NDArray[np.float64]
LONGEST = 1_500
"""Characters that the published score reads: its time grows with the square of the words."""
FEATURES = (
    "vader", "vader_end", "positive_share", "negative_share", "positive", "negative",
    "most_positive", "most_negative", "negated_positive", "negated_negative", "after_but",
    "before_but", "last_sentence", "emoji", "negations", "exclamations", "questions", "capitals",
    "sarcasm", "sarcasm_positive", "words",
)  # fmt: skip
"""What `lexicon_features` tells of a text, each about -1 to 1."""
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[:;=8xX][-o^']?[()\[\]DdPp/\\|*3<>]+|<3|[^\w\s]")
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
_BUT = re.compile(r"\b(?:but|however|although|though|except|unfortunately|yet|still)\b", re.I)
_NEGATIONS = """
    not no never none nothing nobody nor neither cannot cant can't won't wont don't dont doesn't
    doesnt didn't didnt isn't isnt aren't arent wasn't wasnt weren't werent shouldn't couldn't
    wouldn't hasn't haven't hadn't ain't without hardly barely rarely lacks lacking"""
NEGATIONS = frozenset(_NEGATIONS.split())
_SARCASM = re.compile(
    "|".join(
        (
            r"(?:^|\s)/s(?:\s|$)|#(?:sarcas|not\b|irony)|🙄|\bslow clap\b|\bas if\b",
            r"\byeah,? right\b|\b(?:thanks|thank you) for nothing|\bthanks a lot for\b",
            r"\b(?:just|oh,?|well,?) (?:great|wonderful|perfect|fantastic|lovely|brilliant)\b",
            r"\bway to go\b|\bgreat (?:way|start) to\b|\blove (?:how|it when)\b",
            r"\bgood (?:job|work|luck) (?:losing|cancel|delay|with that)",
            r"[\"“‘'*](?:great|good|excellent|amazing|customer service|service|help|fast|premium"
            r"|quality|friendly|best)[\"”’'*]",
        )
    ),
    re.I,
)


@cache
def analyser() -> SentimentIntensityAnalyzer:
    """VADER with its lexicon, read once."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


@cache
def valences() -> dict[str, float]:
    """Mean valence of each word and emoticon, -4 to 4; of an emoji, that of its description."""
    words = dict(analyser().lexicon)
    for emoji, description in analyser().emojis.items():
        known = [words[word] for word in description.split() if word in words]
        if known:
            words[emoji] = max(known, key=abs)
    return words


def vader(texts: Sequence[str]) -> Array:
    """VADER's compound score of each text, -1 to 1, shape (n,); very long ones by their ends."""
    return np.array([_compound(text) for text in texts], dtype=float)


def lexicon_features(texts: Sequence[str]) -> Array:
    """Describe each text by the opinion words in it.

    Parameters
    ----------
    texts : sequence of str, n texts
        Clean.

    Returns
    -------
    features : float array, shape (n, len(FEATURES))
    """
    return np.array([_described(text) for text in texts], dtype=float).reshape(-1, len(FEATURES))


def opinion_words(text: str) -> list[tuple[str, float]]:
    """The words of the lexicon in a text with their valence, turned round where negated."""
    return [(word, value) for word, value, _ in _judged(text)]


def strongest_opinions(texts: Sequence[str], most: int) -> list[list[tuple[str, float]]]:
    """The strongest opinion words of each text with their valence, negation counted."""
    return [sorted(opinion_words(text), key=lambda pair: -abs(pair[1]))[:most] for text in texts]


def _compound(text: str) -> float:
    return float(analyser().polarity_scores(_ends(text))["compound"])


def _ends(text: str) -> str:
    if len(text) <= LONGEST:
        return text
    return f"{text[: LONGEST * 3 // 4]} {text[-LONGEST // 4 :]}"


def _judged(text: str) -> list[tuple[str, float, bool]]:
    known = valences()
    words = _WORD.findall(text.lower().replace("’", "'"))
    found = []
    for i, word in enumerate(words):
        value = known.get(word)
        if value is None or word in NEGATIONS:
            continue
        is_negated = any(before in NEGATIONS for before in words[max(i - 3, 0) : i])
        found.append((word, -0.74 * value if is_negated else value, is_negated))
    return found


def _squashed(value: float) -> float:
    return float(value / np.sqrt(value * value + 15))


def _described(text: str) -> tuple[float, ...]:
    scores: dict[str, Any] = analyser().polarity_scores(_ends(text))
    sentences = [part for part in _SENTENCE.split(text[-LONGEST:]) if part.strip()] or [""]
    judged = _judged(text)
    values = [value for _, value, _ in judged]
    halves = _BUT.split(text, maxsplit=1)
    words = text.split()
    letters = [word for word in words if len(word) > 2 and word.isalpha()]
    sarcasm = float(bool(_SARCASM.search(text)))
    turned = [value for _, value, is_negated in judged if is_negated]
    return (
        scores["compound"],
        _compound(sentences[-1]),
        scores["pos"],
        -scores["neg"],
        _squashed(sum(value for value in values if value > 0)),
        _squashed(sum(value for value in values if value < 0)),
        max([*values, 0.0]) / 4,
        min([*values, 0.0]) / 4,
        _squashed(sum(value for value in turned if value < 0)),
        _squashed(sum(value for value in turned if value > 0)),
        _squashed(_total(halves[1])) if len(halves) > 1 else 0.0,
        _squashed(_total(halves[0])) if len(halves) > 1 else 0.0,
        _squashed(_total(sentences[-1])),
        _squashed(sum(value for word, value, _ in judged if not word[0].isalnum())),
        min(sum(word.lower() in NEGATIONS for word in words) / 3, 1.0),
        min(text.count("!") / 3, 1.0),
        min(text.count("?") / 3, 1.0),
        sum(word.isupper() for word in letters) / len(letters) if letters else 0.0,
        sarcasm,
        sarcasm * max(scores["compound"], 0.0),
        min(np.log1p(len(words)) / 6, 1.0),
    )


def _total(text: str) -> float:
    return sum(value for _, value, _ in _judged(text))
