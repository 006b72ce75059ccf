"""The language of a text, said only where it is clear: otherwise ``und``, undetermined.

py3langid (BSD-3-Clause; Lui & Baldwin 2012) carries its model with it. Its probability is trusted
from `SURE` on and for texts of some length; a script that one language alone uses needs no model.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

UNDETERMINED = "und"
SURE = 0.7
"""Least probability of the first language: no English tweet of 2,000 was given another one."""
LEAST_LETTERS = 8
LONGEST = 1_000
LANGUAGES = (
    "ar", "bg", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr",
    "hu", "id", "it", "ja", "ko", "lt", "lv", "nl", "no", "pl", "pt", "ro", "ru", "sk", "sl", "sr",
    "sv", "th", "tr", "uk", "ur", "vi", "zh",
)  # fmt: skip
_OWN_SCRIPTS = {"HANGUL": "ko", "HIRAGANA": "ja", "KATAKANA": "ja", "THAI": "th", "GREEK": "el",
                "HEBREW": "he"}  # fmt: skip
_ASIDE = re.compile(r"https?://\S+|\S*[@#]\S+|\[[A-Z]+\]|\d+")


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    found = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    found.set_languages(list(LANGUAGES))
    return found


def detect_language(text: str) -> str:
    """ISO 639-1 code of the language of a clean text, or ``und`` where it is not clear.

    Links, handles, masks and numbers are left aside.
    """
    words = _ASIDE.sub(" ", text[:LONGEST])
    letters = [letter for letter in words if letter.isalpha()]
    if not letters:
        return UNDETERMINED
    script, count = Counter(map(_script, letters)).most_common(1)[0]
    kana = sum(_script(letter) in ("HIRAGANA", "KATAKANA") for letter in letters)
    if kana > 0.1 * len(letters):
        return "ja"
    if script in _OWN_SCRIPTS and count > 0.5 * len(letters):
        return _OWN_SCRIPTS[script]
    if len(letters) < (4 if script == "CJK" else LEAST_LETTERS):
        return UNDETERMINED
    language, probability = _identifier().classify(words)
    return str(language) if probability >= SURE else UNDETERMINED


def detect_languages(texts: Sequence[str]) -> list[str]:
    """The language of each clean text; see `detect_language`."""
    return [detect_language(text) for text in texts]


@cache
def _script(letter: str) -> str:
    return unicodedata.name(letter, "?").split()[0].split("-")[0]
