"""Mentions count whole words, once per text and name; shares add up."""

from __future__ import annotations

import pandas as pd
import pytest

from ml.text_mentions import Terms, TermsError, find_mentions, share_of_voice

TERMS = Terms.from_yaml(
    """
brands:
  Shoal: [shoal, "@shoalshop", "shoal shop"]
competitors:
  Reef: ["#reef", reef market]
  Coral:
"""
)


def test_names_are_found_in_any_spelling_and_case() -> None:
    found = find_mentions(
        ["SHOAL's lamp", "ask @ShoalShop", "the #reef, the #reef", "coral"], TERMS
    )
    assert found[["row", "name", "count"]].values.tolist() == [
        [0, "Shoal", 1], [1, "Shoal", 1], [2, "Reef", 2], [3, "Coral", 1],
    ]  # fmt: skip


def test_parts_of_words_are_no_mentions() -> None:
    assert find_mentions(["shoaling corals", "reefmarket", ""], TERMS).empty


def test_the_longest_spelling_wins() -> None:
    assert find_mentions(["the shoal shop"], TERMS)["term"].tolist() == ["shoal shop"]


def test_shares_add_up_in_every_period() -> None:
    mentions = pd.DataFrame(
        {
            "period": ["a", "a", "a", "b"],
            "group": ["brands", "brands", "competitors", "competitors"],
            "name": ["Shoal", "Shoal", "Reef", "Reef"],
        }
    )
    shares = share_of_voice(mentions)
    assert shares.groupby("period")["share"].sum().tolist() == pytest.approx([1, 1])
    assert shares.set_index(["period", "name"])["share"][("a", "Shoal")] == pytest.approx(2 / 3)
    assert share_of_voice(mentions, ["brands"])["share"].tolist() == [1.0]


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("a: [", "no valid YAML"),
        ("[1]", "write groups"),
        ("brands: [x]", "brands"),
        ("brands: {A: {b: c}}", "brands.A"),
        ("brands: {A: [x], B: [X]}", "stands for brands.A and brands.B"),
        ("brands: {A: ['']}", "no spelling"),
    ],
)
def test_errors_say_where_and_what_to_do(source: str, said: str) -> None:
    with pytest.raises(TermsError, match=f"terms.yml: .*{said}|terms.yml: {said}"):
        Terms.from_yaml(source, "terms.yml")


def test_no_terms_no_mentions() -> None:
    assert find_mentions(["shoal"], Terms.from_yaml("")).empty
    assert TERMS.kept >= {"shoalshop", "reef", "coral"}
