"""Who moved from one segment to another, and why."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from planted import GROUPS, planted

from ml.reasons import Phrase
from ml.segment_identity import keep_identity
from ml.segment_moves import BEHAVIOUR, RETRAINING, Followed, Held, follow_customers
from ml.segments import Protocol, SegmentModel, fit_segments

PHRASES = {
    "days_since_last_order": Phrase("days since the last order", unit="days"),
    "order_days_total": Phrase("days with an order so far"),
    "revenue_total": Phrase("revenue so far"),
}
NOW, BEFORE = "segments:2", "segments:1"


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return planted()


@pytest.fixture(scope="module")
def model(customers: pd.DataFrame) -> SegmentModel:
    protocol = Protocol(families=("kmeans",), pinned_k=len(GROUPS), bootstraps=1)
    return fit_segments(customers, protocol=protocol)


def nobody(count: int) -> Held:
    return Held(np.full(count, -1), [None] * count, [None] * count)


def held_by(followed: Followed, version: str) -> Held:
    table = followed.assigned
    return Held(
        table["segment_id"].to_numpy(), [version] * len(table), table["feature_values"].tolist()
    )


def follow(
    model: SegmentModel, customers: pd.DataFrame, held: Held, before: SegmentModel | None = None
) -> Followed:
    known = {} if before is None else {BEFORE: before}
    return follow_customers(model, NOW, customers, held, known, PHRASES)


def customer(recency: float, orders: float, revenue: float) -> pd.DataFrame:
    return pd.DataFrame(
        [(recency, orders, revenue)],
        columns=["days_since_last_order", "order_days_total", "revenue_total"],
    )


def test_a_first_assignment_is_the_nearest_segment_and_no_move(
    model: SegmentModel, customers: pd.DataFrame
) -> None:
    followed = follow(model, customers, nobody(len(customers)))
    plain = model.assign(customers)
    for name in ("segment_id", "segment_name", "second_id"):
        assert followed.assigned[name].tolist() == plain[name].tolist()
    for name in ("distance", "margin"):
        np.testing.assert_allclose(followed.assigned[name], plain[name], atol=1e-9)
    assert followed.moves.empty


def test_who_did_nothing_new_stays(model: SegmentModel, customers: pd.DataFrame) -> None:
    first = follow(model, customers, nobody(len(customers)))
    again = follow(model, customers, held_by(first, NOW))
    assert again.moves.empty
    pd.testing.assert_frame_equal(again.assigned, first.assigned)


def test_a_customer_who_stops_buying_moves_and_the_reason_is_how_long_ago(
    model: SegmentModel,
) -> None:
    first = follow(model, customer(8, 20, 4000), nobody(1))
    later = follow(model, customer(150, 20, 4000), held_by(first, NOW))
    ((row, cause, why),) = later.moves.to_numpy().tolist()
    assert (row, cause) == (0, BEHAVIOUR)
    assert why[0] == "days since the last order 8 → 150"
    assert later.assigned["segment_id"][0] != first.assigned["segment_id"][0]


def test_a_feature_that_changed_the_other_way_is_no_reason(model: SegmentModel) -> None:
    """They also spent more, which speaks for the segment that they left."""
    first = follow(model, customer(8, 20, 2000), nobody(1))
    later = follow(model, customer(150, 20, 4000), held_by(first, NOW))
    assert [words.split(" 8 ")[0] for words in later.moves["why"][0]] == [
        "days since the last order"
    ]


def test_first_orders_and_the_loss_of_all_are_reasons_of_their_own(model: SegmentModel) -> None:
    browser = follow(model, customer(np.nan, 0, 0), nobody(1))
    assert browser.assigned["segment_id"].tolist() == [0]
    buyer = follow(model, customer(2, 1, 80), held_by(browser, NOW))
    assert buyer.moves["why"].tolist() == [["first order"]]
    back = follow(model, customer(np.nan, 0, 0), held_by(buyer, NOW))
    assert back.moves["why"].tolist() == [["no order is left"]]
    assert back.moves["cause"].tolist() == [BEHAVIOUR]


def test_a_move_without_a_record_of_before_says_so(model: SegmentModel) -> None:
    held = Held(np.array([model.ids[0]]), [NOW], [None])
    moved = follow(model, customer(150, 1, 50), held)
    assert moved.moves["why"].tolist() == [["the features of before are not on record"]]


def shifted(model: SegmentModel, days: float) -> SegmentModel:
    """The same segments with every border moved towards longer ago."""
    prototypes = model.assigner.prototypes + np.array([days, 0.0, 0.0])  # type: ignore[attr-defined]
    return replace(model, assigner=replace(model.assigner, prototypes=prototypes))  # type: ignore[type-var]


def test_a_border_that_moved_is_retraining_and_a_customer_who_moved_is_behaviour(
    model: SegmentModel, customers: pd.DataFrame
) -> None:
    assert model.space.columns[model.space.counting[0]] == "days_since_last_order"
    blurred = planted(spread=0.8)
    first = follow(model, blurred, nobody(len(blurred)))
    moved = follow(shifted(model, 0.8), blurred, held_by(first, BEFORE), before=model)
    assert len(moved.moves)
    assert set(moved.moves["cause"]) == {RETRAINING}
    assert "fitted again" in moved.moves["why"][0][0]

    first = follow(model, customers, nobody(len(customers)))
    active = customers["truth"] == 0
    gone = customers.assign(
        days_since_last_order=customers["days_since_last_order"].where(~active, 200.0)
    )
    both = follow(model, gone, held_by(first, BEFORE), before=model).moves
    assert set(both["cause"]) == {BEHAVIOUR}
    assert len(both) == active.sum()
    assert all("→ 200" in why[0] for why in both["why"])


def test_a_retired_segment_releases_everyone(model: SegmentModel, customers: pd.DataFrame) -> None:
    first = follow(model, customers, nobody(len(customers)))
    fewer = customers[customers["truth"] != 0]
    protocol = Protocol(families=("kmeans",), pinned_k=len(GROUPS) - 1, bootstraps=1)
    new, identity = keep_identity(fit_segments(fewer, protocol=protocol), model, fewer)
    ((gone, _),) = identity.retired
    moved = follow(new, customers, held_by(first, BEFORE), before=model)
    left = first.assigned["segment_id"] == gone
    assert sorted(moved.moves["row"]) == sorted(np.flatnonzero(left))
    assert set(moved.moves["cause"]) == {RETRAINING}
    assert "retired" in moved.moves["why"][0][0]


def test_an_unknown_version_of_before_makes_a_move_a_retraining(
    model: SegmentModel, customers: pd.DataFrame
) -> None:
    first = follow(model, customers, nobody(len(customers)))
    gone = customers.assign(days_since_last_order=200.0)
    moved = follow(model, gone, held_by(first, "segments:0"))
    assert set(moved.moves["cause"]) == {RETRAINING}
