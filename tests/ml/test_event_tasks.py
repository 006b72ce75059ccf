"""Response and high intent: what counts as a reaction, what is learnt, how it is judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ml.champion import compare
from ml.classifier import train
from ml.intent import INTENT
from ml.message_rows import labelled_messages, message_groups, reaction_window
from ml.response import RESPONSE
from ml.session_rows import labelled_sessions
from ml.splits import NotEnoughHistory, NothingToLearnFrom
from ml.trained import TrainedModel

END = pd.Timestamp("2026-06-01")


def messages(count: int = 4_000, seed: int = 0) -> pd.DataFrame:
    """Messages of customers who react at a rate of their own, which their past shows."""
    rng = np.random.default_rng(seed)
    taste = rng.beta(1, 6, 400)
    customer = rng.integers(0, 400, count)
    reacts = rng.random(count) < taste[customer]
    delay = rng.exponential(1.5, count)
    return pd.DataFrame(
        {
            "customer_key": [f"c{number:03d}" for number in customer],
            "message_ref": [f"m{number}" for number in range(count)],
            "campaign_ref": "spring",
            "sent_at": END - pd.to_timedelta(rng.uniform(0, 200, count), unit="D"),
            "channel": "email",
            "variant": "a",
            "features_as_of": END,
            "reaction_days": np.where(reacts, delay, np.nan),
            "past_reaction_rate": np.clip(taste[customer] + rng.normal(0, 0.15, count), 0, 1),
            "orders": rng.poisson(5 * taste[customer]).astype(float),
            "sent_by_email": rng.integers(0, 2, count).astype(float),
            "sent_by_sms": 0.0,
            "days_since_first_order": rng.uniform(0, 500, count),
        }
    )


@pytest.fixture(scope="module")
def trained() -> TrainedModel:
    frame, horizon_days = labelled_messages(messages(), END)
    return train(frame, RESPONSE, horizon_days=horizon_days, num_threads=1)


def test_the_window_holds_nearly_all_reactions() -> None:
    delays = pd.Series([0.5] * 97 + [20.0] * 3 + [np.nan] * 500)
    assert reaction_window(delays) == 1
    assert reaction_window(pd.concat([delays, pd.Series([6.0] * 30)])) == 7
    assert reaction_window(pd.Series([400.0])) == 90


def test_a_late_reaction_is_none() -> None:
    given = messages()
    late = given.assign(reaction_days=given["reaction_days"].where(given.index != 0, 60.0))
    frame, _ = labelled_messages(late, END)
    window = reaction_window(late["reaction_days"])
    known = late[late["sent_at"] < END - pd.Timedelta(days=window)]
    assert frame["label"].sum() == (known["reaction_days"] < window).sum()
    assert known["reaction_days"].notna().sum() > frame["label"].sum()


def test_nothing_of_the_message_but_its_features_is_learnt(trained: TrainedModel) -> None:
    assert set(trained.features) == {
        "past_reaction_rate", "orders", "sent_by_email", "sent_by_sms", "days_since_first_order",
    }  # fmt: skip


def test_the_model_is_judged_beside_the_own_rate(trained: TrainedModel) -> None:
    assert list(trained.test_predictions.columns[3:]) == ["model", "logistic", "past_rate"]
    assert {verdict.baseline for verdict in trained.verdicts} == {"logistic", "past_rate"}
    assert trained.metric("roc_auc") > 0.6
    assert RESPONSE.simplest == "past_rate"


def test_a_model_with_several_rows_of_a_customer_meets_its_like(
    trained: TrainedModel, tmp_path: Path
) -> None:
    """Promotion reads the rows once more, in the order in which training read them."""
    frame, _ = labelled_messages(messages(), END)
    rows = frame[frame["as_of"] == pd.Timestamp(trained.test_date)]
    assert rows["customer_key"].duplicated().any()
    trained.save(tmp_path)
    found = compare(trained, TrainedModel.load(tmp_path), rows, "roc_auc", num_threads=1)
    assert np.array_equal(found.scores, trained.test_predictions["model"].to_numpy())
    assert found.verdict.difference.value == 0
    with pytest.raises(ValueError, match="are not the"):
        compare(trained, trained, rows.iloc[1:], "roc_auc", num_threads=1)


def test_sources_without_messages_or_reactions_have_nothing_to_learn_from() -> None:
    with pytest.raises(NothingToLearnFrom, match="no message to a known customer"):
        labelled_messages(messages()[:0], END)
    with pytest.raises(NothingToLearnFrom, match="none of 4000 messages"):
        labelled_messages(messages().assign(reaction_days=np.nan), END)
    with pytest.raises(NotEnoughHistory) as few:
        labelled_messages(messages(100), END)
    assert not isinstance(few.value, NothingToLearnFrom)


def test_messages_are_grouped_by_channel_and_tenure() -> None:
    rows = pd.DataFrame(
        {
            "sent_by_email": [1.0, 0.0, 0.0],
            "sent_by_sms": [0.0, 1.0, 0.0],
            "days_since_first_order": [10.0, 400.0, np.nan],
        }
    )
    groups = message_groups(rows)
    assert groups["channel"].tolist() == ["email", "sms", "other"]
    assert groups["tenure"].tolist()[:2] == ["under 90 days", "365 days or more"]


def sessions(count: int = 3_000, seed: int = 0) -> pd.DataFrame:
    """Instants of sessions that end in an order more often with a cart."""
    rng = np.random.default_rng(seed)
    cart = (rng.random(count) < 0.4).astype(float)
    return pd.DataFrame(
        {
            "point_id": [f"p{number}" for number in range(count)],
            "session_id": [f"s{number // 2}" for number in range(count)],
            "visitor_key": [f"v{number:03d}" for number in rng.integers(0, 500, count)],
            "observed_at": END - pd.to_timedelta(rng.uniform(0, 120, count), unit="D"),
            "label": (rng.random(count) < 0.05 + 0.5 * cart).astype(float),
            "session_has_cart": cart,
            "session_product_views": rng.poisson(3, count).astype(float),
            "on_mobile": rng.integers(0, 2, count).astype(float),
            "on_desktop": 0.0,
            "customer_is_known": rng.integers(0, 2, count).astype(float),
        }
    )


def test_intent_is_judged_by_visitor_beside_cart_and_views() -> None:
    frame, horizon_days = labelled_sessions(sessions(), END)
    assert horizon_days == 15  # too few rows a week
    trained = train(frame, INTENT, horizon_days=horizon_days, num_threads=1)
    names = ["model", "logistic", "has_cart", "product_views"]
    assert list(trained.test_predictions.columns[3:]) == names
    assert trained.metric("roc_auc") > trained.metric("roc_auc", "product_views")
    assert set(trained.test_predictions["customer_key"]) <= set(sessions()["visitor_key"])


def test_sources_without_sessions_or_orders_in_them_have_nothing_to_learn_from() -> None:
    with pytest.raises(NothingToLearnFrom, match="no session"):
        labelled_sessions(sessions()[:0], END)
    with pytest.raises(NothingToLearnFrom, match="no event tells of an order"):
        labelled_sessions(sessions().assign(label=0.0), END)
