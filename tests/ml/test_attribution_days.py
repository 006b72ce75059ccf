"""Credit spread over days keeps each channel's total."""

import pandas as pd
import pytest

from ml.attribution_days import spread_over_days


def touches() -> pd.DataFrame:
    rows = [
        ("2024-01-01", "email", "spring", 1.0, 10.0),
        ("2024-01-02", "email", None, 3.0, 10.0),
        ("2024-01-02", "direct", None, 2.0, 0.0),
    ]
    names = ["conversion_date", "channel", "campaign_ref", "conversions", "value"]
    return pd.DataFrame(rows, columns=names)


def credits(*rows: tuple[str, str, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["model", "channel", "conversions", "value"])


def test_a_channels_days_share_its_credit() -> None:
    given = credits(("markov", "email", 2.0, 30.0), ("markov", "direct", 4.0, 8.0))
    spread = spread_over_days(given, touches())
    assert spread["conversions"].tolist() == [0.5, 1.5, 4.0]
    assert spread["value"].tolist() == [15.0, 15.0, 8.0]
    assert spread["campaign_ref"].isna().tolist() == [False, True, True]


def test_every_model_keeps_its_totals() -> None:
    given = credits(
        ("markov", "email", 1 / 3, 0.7),
        ("shapley", "email", 2 / 7, 0.1),
        ("shapley", "direct", 1, 0),
    )
    spread = spread_over_days(given, touches())
    sums = spread.groupby(["model", "channel"])[["conversions", "value"]].sum()
    expected = given.set_index(["model", "channel"]).sort_index()
    pd.testing.assert_frame_equal(sums, expected, check_exact=False, atol=1e-12, check_dtype=False)


def test_credit_without_a_day_is_an_error() -> None:
    with pytest.raises(ValueError, match="touched on no day: radio"):
        spread_over_days(credits(("markov", "radio", 1.0, 1.0)), touches())


def test_no_credit_gives_no_rows() -> None:
    assert spread_over_days(credits(), touches()).empty
