"""Names of groups of texts: the words that are frequent in a group and rare in the others."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

_WORD = re.compile(r"[^\W\d_][^\W\d_'’]{2,}")
_FUNCTION_WORDS = """
    about after again all also and any anything are because been before being but can cannot
    come could did does doing done dont don't down each ever every for from get gets getting give
    going gone good got great had has have having her here him his how i'm i've into isn't it's its
    just know like made make many may more most much need never not now off one only other our out
    over please really same say see she should since some still such take than thank thanks that
    that's the their them then there these they this those though through time too two until use
    very want was way well were what when where which while who why will with without won't would
    yet you your you're yours yes can't didn't doesn't wasn't will today day days name email phone
    card link address handle iban"""
_COMMON = frozenset(_FUNCTION_WORDS.split())
MOST_WORDS = 5


def name_topics(
    texts: Sequence[str], groups: npt.NDArray[np.int64], count: int
) -> list[tuple[str, ...]]:
    """Words that set each group apart, by class-based TF-IDF (Grootendorst 2022).

    The texts of a group are read as one; a word weighs its frequency there times
    log(1 + mean words of a group / its frequency over all). A pair of words stands for both where
    it is about as frequent.

    Parameters
    ----------
    texts : sequence of str, n texts
    groups : int array, shape (n,)
        0 to count - 1.
    count : int

    Returns
    -------
    list of tuple of str
        At most `MOST_WORDS` a group, the strongest first.
    """
    heard = [Counter[str]() for _ in range(count)]
    for text, group in zip(texts, groups, strict=True):
        heard[int(group)].update(set(content_words(text)))
    total = sum(heard, Counter[str]())
    mean = sum(total.values()) / max(count, 1)
    return [_strongest(words, total, mean) for words in heard]


def content_words(text: str) -> list[str]:
    """Words of a clean text that say what it is about, then their pairs, in lower case."""
    words = [word for word in _WORD.findall(text.lower()) if word not in _COMMON]
    return words + [f"{a} {b}" for a, b in pairwise(words)]


def _strongest(words: Counter[str], total: Counter[str], mean: float) -> tuple[str, ...]:
    least = max(2, 0.01 * max(words.values(), default=0))
    weights = {
        word: frequency * float(np.log(1 + mean / total[word]))
        for word, frequency in words.items()
        if frequency >= least
    }
    chosen: list[str] = []
    for word in sorted(weights, key=lambda each: (-weights[each], each)):
        parts = word.split()
        if len(parts) > 1 and words[word] < 0.5 * min(words[part] for part in parts):
            continue
        if any(part in other.split() for other in chosen for part in parts):
            continue
        chosen.append(word)
        if len(chosen) == MOST_WORDS:
            break
    return tuple(chosen)
