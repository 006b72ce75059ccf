"""Control tables: the instant a run works as of, and the past instants models learn from."""

from datetime import datetime
from typing import Any

import dagster as dg

from ml.horizons import churn_horizon, purchase_horizon
from orchestration.clock import Horizons, read_clock, set_as_of_dates, set_clock
from orchestration.ingestion.entities import ENTITIES
from orchestration.ingestion.schema import create_tables
from orchestration.lake import Lake
from orchestration.settings import settings

OWNERS = ["team:data"]


class ClockConfig(dg.Config):
    """Which batches a run carries through: those not yet published, or all of them."""

    whole_history: bool = False


@dg.asset(
    key=["ops", "clock"],
    deps=[
        *(dg.AssetKey(["raw", name]) for name in ENTITIES),
        # a changed decision on a pair is a batch, which the clock has to see
        dg.AssetKey(["intermediate", "identity_matches"]),
    ],
    group_name="control",
    kinds={"ducklake"},
    owners=OWNERS,
)
def clock(config: ClockConfig, lake: Lake) -> dg.MaterializeResult[Any]:
    """One row: the instant the run works as of, and the batches that it carries through."""
    with lake.writer("set the clock") as connection:
        create_tables(connection)
        now = set_clock(connection, settings(), whole_history=config.whole_history)
    return dg.MaterializeResult(
        metadata={
            "as_of": now.as_of.isoformat(sep=" "),
            "mode": now.mode,
            "first_batch_id": now.first_batch_id,
            "last_batch_id": now.last_batch_id,
        }
    )


@dg.asset(
    key=["ops", "as_of_dates"],
    deps=[dg.AssetKey(["intermediate", "int_customer_days"])],
    group_name="features",
    kinds={"ducklake"},
    owners=OWNERS,
)
def training_dates(lake: Lake) -> dg.MaterializeResult[Any]:
    """One row per task and past instant, with the horizon that its labels look ahead."""
    values = settings()
    with lake.writer("set the training dates") as connection:
        gaps = connection.execute(
            "select days_since_previous_order from intermediate.int_customer_days "
            "where days_since_previous_order is not null"
        ).fetchnumpy()["days_since_previous_order"]
        span: tuple[datetime | None, datetime | None] | None = connection.execute(
            "select min(last_order_at), max(last_order_at) from intermediate.int_customer_days"
        ).fetchone()
        oldest, newest = span or (None, None)
        if oldest is None or newest is None:
            raise dg.Failure(
                "no completed order with a customer has landed: there is nothing to learn "
                "churn, purchase or value from"
            )
        history_days = (newest - oldest).total_seconds() / 86_400
        try:
            churn_days = values.churn_horizon_days or churn_horizon(gaps, history_days)
        except ValueError as problem:
            raise dg.Failure(str(problem)) from problem
        horizons = Horizons(
            churn_days, values.purchase_horizon_days or purchase_horizon(gaps, churn_days)
        )
        rows = set_as_of_dates(
            connection,
            horizons,
            newest=read_clock(connection).as_of,
            oldest=oldest,
            step_days=values.as_of_step_days,
            count=values.as_of_count,
        )
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": rows,
            "churn_horizon_days": horizons.churn_days,
            "purchase_horizon_days": horizons.purchase_days,
            "population_days": horizons.population_days,
        }
    )
