"""The page of segments: what it says of planted groups, their lives, and what is not there."""

import re
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from ml.segment_heatmap import profile_table
from ml.segment_model import SegmentModel
from ml.segments import Protocol, fit_segments
from orchestration.documents import Block, Picture, to_html
from orchestration.phrases import feature_phrases
from orchestration.registry import Version
from orchestration.segment_page import segment_page
from orchestration.segment_pictures import (
    SHOWN_FEATURES,
    draw_segments,
    report_columns,
    segment_looks,
    shown_features,
)
from orchestration.segment_report_data import ReportData
from tests.ml.planted import GROUPS, planted

NOW = datetime(2026, 3, 31, 12)
KEPT = ["segment_id", "segment_name", "expected_value", "churn_probability"]
SIZES = pd.DataFrame(
    {
        "as_of": pd.to_datetime(["2026-02-28", "2026-03-31"]),
        "segment_id": [9, 1],
        "customers": [4, 60],
        "revenue": [10.0, 90.0],
    }
)
MOVES = pd.DataFrame(
    {"from_id": [9], "from_name": ["gone"], "to_id": [1], "to_name": ["?"], "customers": [33]}
)
LIVES = {
    1: {"colour": "#0072B2", "born_at": datetime(2026, 1, 2), "retired_at": None},
    9: {"colour": "#117733", "born_at": datetime(2026, 1, 1), "retired_at": datetime(2026, 3, 1)},
}


@lru_cache(maxsize=1)
def market() -> tuple[SegmentModel, ReportData]:
    """Four planted groups, and a tenth as many customers without orders."""
    buyers = planted(groups=[(*group, size // 3) for *group, size in GROUPS])
    protocol = Protocol(families=("kmeans",), k_range=(4,), bootstraps=2)
    model = fit_segments(buyers, protocol=protocol, seed=1)
    browsers = pd.DataFrame(index=range(20), columns=buyers.columns, dtype=float)
    customers = pd.concat([buyers, browsers.fillna({"order_days_total": 0})], ignore_index=True)
    customers = pd.concat(
        [customers, model.assign(customers)[["segment_id", "segment_name"]]], axis=1
    )
    customers["revenue_365d"] = customers["revenue_total"].fillna(0) / 2
    customers["expected_value"] = customers["revenue_total"] / 10
    customers["churn_probability"] = np.where(customers["segment_id"] > 0, 0.25, np.nan)
    for name in SHOWN_FEATURES:
        if name not in customers:
            customers[name] = np.nan
    data = ReportData(
        as_of=NOW, customers=customers, names={9: "gone"}, lives={}, sizes=SIZES.head(1),
        moves=None, flicker=None, rules=None, disabled_rules=[], currency="EUR",
    )  # fmt: skip
    return model, data


def page(data: ReportData) -> tuple[str, list[Block]]:
    model, _ = market()
    phrases = feature_phrases()
    look = segment_looks(data, model)
    features = shown_features(data.customers, phrases, data.currency)
    profile = profile_table(data.customers, data.customers["segment_id"].to_numpy(), features)
    pictures = draw_segments(data, model, profile, features, look, phrases, seed=1)
    version = Version("segments", 3, Path("none"), {})
    blocks = segment_page(data, version, model, profile, features, look, pictures, NOW)
    return re.sub(r'src="data:[^"]*"', "", to_html("Segments", blocks)), blocks


def test_cards_have_size_value_and_what_sets_apart() -> None:
    model, data = market()
    said, _ = page(data)
    assert "220 customers, 20 of them browsers without orders (segment 0), the others in 4" in said
    assert f"<h3>1: {model.names[0]}</h3><ul><li>20 customers, 9% of all</li>" in said
    assert "EUR of revenue in 365 days" in said
    assert "chance to leave 25%, of those with a score" in said
    assert re.search(r"days since the last order: \d+ days, lower than \d+% of customers", said)
    assert "by K-means" in said
    assert "1 candidates were fitted" in said


def test_what_is_not_there_yet_is_said_and_not_drawn() -> None:
    said, _ = page(market()[1])
    for words in (
        "customers have been scored as of one instant only",
        "This deployment keeps no moves yet.",
        "This deployment has no rule segments.",
    ):
        assert words in said
    for alt in ("Two line charts", "Bands from the segments"):
        assert alt not in said
    nobody, _ = page(replace(market()[1], moves=MOVES.head(0), rules=[]))
    assert "Nobody moved between segments in the 30 days before." in nobody
    assert "No customer is in a rule segment now." in nobody


def test_what_happened_is_drawn_and_said() -> None:
    rules = [{"title": "In a <hurry>", "customers": 1234, "last_entered_at": NOW}]
    said, _ = page(
        replace(
            market()[1],
            sizes=SIZES,
            moves=MOVES,
            lives=LIVES,
            rules=rules,
            disabled_rules=[{"title": "Broken", "error": "no column x"}],
            flicker={"period_start": NOW.date(), "movers": 200, "came_back_share": 0.04},
        )
    )
    for words in (
        "Two line charts",
        "Bands from the segments",
        "Segments that were retired: gone on 2026-03-01.",
        "known since 2026-01-02",
        "Of 200 customers who moved in the month from 2026-03-31 on, 4% came back",
        "In a &lt;hurry&gt;",
        "1,234",
        "Disabled: Broken, no column x",
    ):
        assert words in said, words


def test_what_the_map_needs_is_read_and_named() -> None:
    model, data = market()
    needed = report_columns(model)
    assert {*SHOWN_FEATURES, "order_days_total", "revenue_total"} == set(needed)
    _, blocks = page(replace(data, customers=data.customers[[*needed, *KEPT]]))
    assert "segment_pca" in {block.title for block in blocks if isinstance(block, Picture)}


def test_a_feature_that_nobody_has_is_no_column() -> None:
    model, data = market()
    shown = [one.name for one in shown_features(data.customers, feature_phrases(), "EUR")]
    assert shown == ["days_since_last_order", "revenue_365d"]
    alike = data.customers.assign(days_since_last_order=1.0, revenue_365d=0.0)
    assert shown_features(alike, feature_phrases(), "EUR") == []
    said, _ = page(replace(data, customers=alike.assign(days_since_last_order=5.0)))
    assert "What sets them apart" in said
    assert model.k == 4
