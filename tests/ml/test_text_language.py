"""A language is told where it is clear, and only there."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from ml.text_language import UNDETERMINED, detect_language, detect_languages

pytestmark = pytest.mark.skipif(not find_spec("py3langid"), reason="needs the extra `text`")

CLEAR = {
    "de": "Das Paket kam drei Tage zu spät und war beschädigt.",
    "fr": "Je suis très déçu de la qualité du produit.",
    "es": "El producto llegó roto y nadie responde.",
    "it": "Il prodotto è arrivato rotto e nessuno risponde.",
    "nl": "Het pakket is nog steeds niet aangekomen.",
    "pl": "Paczka przyszła uszkodzona i nikt nie odpowiada.",
    "pt": "O produto chegou quebrado e ninguém responde.",
    "en": "The parcel came three days late and was broken.",
    "ru": "Посылка пришла сломанной, никто не отвечает.",
    "ar": "المنتج سيء للغاية ولم يصل في الوقت",
    "he": "החבילה הגיעה שבורה",
    "el": "Το πακέτο ήρθε σπασμένο",
    "ja": "商品が壊れていました。",
    "ko": "배송이 너무 늦어요",
    "zh": "包裹坏了，客服不回复。",
}


@pytest.mark.parametrize(("language", "text"), CLEAR.items())
def test_clear_texts(language: str, text: str) -> None:
    assert detect_language(text) == language
    assert detect_language(f"@anna {text} https://example.com/a 12345 [NAME]") == language


@pytest.mark.parametrize("text", ["", "ok", "😀😀", "gr8 m8", "12345", "A+", "hmm", ":-(", "@anna"])
def test_unclear_texts_are_not_guessed_at(text: str) -> None:
    assert detect_language(text) == UNDETERMINED


def test_a_row_each() -> None:
    assert detect_languages(["", CLEAR["de"], "x" * 100_000])[:2] == [UNDETERMINED, "de"]
