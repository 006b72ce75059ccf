"""Real customers: the figures a strong notebook reaches on Online Retail."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from ml.churn import CHURN
from ml.classifier import train
from ml.segments import Protocol, fit_segments, rfm_space

DATA = Path(__file__).parents[3] / "shared/data/online_retail/online_retail.parquet"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason=f"no {DATA}")

CUTOFF = pd.Timestamp("2011-08-01")
DAYS = """
create table days as
select
    CustomerID::varchar as customer_key,
    InvoiceDate::date as day,
    count(distinct InvoiceNo) filter (Quantity > 0) as orders,
    coalesce(sum(Quantity * UnitPrice) filter (Quantity > 0), 0) as revenue,
    coalesce(-sum(Quantity * UnitPrice) filter (Quantity < 0), 0) as returned,
    count(distinct StockCode) filter (Quantity > 0) as products,
    bool_or(Quantity > 0) as bought
from read_parquet(?)
where CustomerID is not null and UnitPrice > 0 and regexp_matches(StockCode, '^[0-9]{5}')
group by all
"""
FEATURES = """
with past as (select * from days where day < $cutoff::date),
bought as (
    select *, day - lag(day) over (partition by customer_key order by day) as gap
    from past where bought
),
features as (
    select
        customer_key,
        $cutoff::date - max(day) as days_since_last_order,
        $cutoff::date - min(day) as tenure_days,
        count(*) as order_days,
        count(*) filter (day >= $cutoff::date - 30) as order_days_30d,
        count(*) filter (day >= $cutoff::date - 90) as order_days_90d,
        sum(revenue) as revenue,
        sum(revenue) filter (day >= $cutoff::date - 90) as revenue_90d,
        avg(gap) as gap_mean,
        stddev_samp(gap) as gap_std,
        avg(products) as products_per_day,
        avg(revenue) as revenue_per_day,
        arg_max(revenue, day) as last_day_revenue
    from bought group by customer_key
),
returns as (select customer_key, sum(returned) as returned from past group by customer_key),
active as (
    select customer_key from days
    where bought and day >= $cutoff::date and day < $cutoff::date + 60 group by customer_key
)
select
    features.*,
    days_since_last_order / nullif(gap_mean, 0) as recency_to_gap,
    order_days / (tenure_days + 1) as order_rate,
    returned,
    (active.customer_key is null)::int as label,
    $cutoff::timestamp as as_of
from features
left join returns using (customer_key)
left join active using (customer_key)
"""


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    duckdb = pytest.importorskip("duckdb")
    con = duckdb.connect(config={"threads": 2})
    con.execute(DAYS, [str(DATA)])
    dates = pd.date_range(end=CUTOFF, periods=15, freq="14D")
    parts = [con.execute(FEATURES, {"cutoff": date.to_pydatetime()}).df() for date in dates]
    return pd.concat(parts, ignore_index=True)


def test_churn_model_reaches_the_notebook(customers: pd.DataFrame) -> None:
    active = customers[customers["days_since_last_order"] <= 120]
    model = train(active, CHURN, horizon_days=60)
    assert 2200 < len(model.test_predictions) < 2400
    assert 0.73 < model.metric("roc_auc") < 0.80
    assert model.metric("ece") < 0.07
    verdicts = {verdict.baseline: verdict.difference.verdict for verdict in model.verdicts}
    assert verdicts["recency"] == "better"
    assert verdicts["logistic"] != "worse"


def test_four_segments_are_as_stable_and_apart_as_the_notebooks(customers: pd.DataFrame) -> None:
    now = customers[customers["as_of"] == CUTOFF]
    protocol = Protocol(families=("kmeans",), stability_rows=len(now), bootstraps=20)
    model = fit_segments(now, rfm_space(frequency="order_days", monetary="revenue"), protocol)
    chosen = model.selection[model.selection["chosen"]].iloc[0]
    assert len(now) == 3145
    assert model.k == 4
    assert chosen["silhouette"] > 0.375
    assert chosen["stability"] > 0.945
    assert model.names[0] == "loyal big spenders"
